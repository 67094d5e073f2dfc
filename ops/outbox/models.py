from django.db import models
from django.utils.translation import gettext_lazy as _

from prompts.models.base import Record


class OutboxEvent(Record):
    """Something that happened, as it is told: its id is the same however often, and to whomever.

    Written in the transaction that changed the registry. Without ``relayed_at`` nobody has been told yet.
    """

    kind = models.CharField(_("kind"), max_length=64)
    prompt_id = models.CharField(
        _("prompt id"), max_length=32, blank=True, help_text=_("It may be gone by now.")
    )
    prompt_name = models.CharField(_("prompt name"), max_length=255, blank=True)
    actor_id = models.CharField(_("actor id"), max_length=32, blank=True)
    actor_name = models.CharField(_("actor name"), max_length=255, blank=True)
    data = models.JSONField(_("data"), default=dict)
    happened_at = models.DateTimeField(_("happened at"))
    relayed_at = models.DateTimeField(_("relayed at"), null=True)

    class Meta:
        db_table = "outbox_events"
        verbose_name = _("outbox event")
        verbose_name_plural = _("outbox events")
        default_permissions = ()
        ordering = ["happened_at", "id"]
        indexes = [
            models.Index(
                fields=["happened_at"], name="outbox_events_to_relay", condition=models.Q(relayed_at=None)
            ),
            models.Index(fields=["happened_at"], name="outbox_events_happened"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.prompt_name}".strip()

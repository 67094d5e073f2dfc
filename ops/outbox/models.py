from django.db import models

from prompts.models.base import Record


class OutboxEvent(Record):
    """Something that happened, as it is told: its id is the same however often, and to whomever.

    Written in the transaction that changed the registry. Without ``relayed_at`` nobody has been told yet.
    """

    kind = models.CharField(max_length=64)
    prompt_id = models.CharField(max_length=32, blank=True, help_text="It may be gone by now.")
    prompt_name = models.CharField(max_length=255, blank=True)
    actor_id = models.CharField(max_length=32, blank=True)
    actor_name = models.CharField(max_length=255, blank=True)
    data = models.JSONField(default=dict)
    happened_at = models.DateTimeField()
    relayed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "outbox_events"
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

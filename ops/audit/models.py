from django.db import models
from django.utils.translation import gettext_lazy as _


class Source(models.TextChoices):
    API = "api", "API"
    CONSOLE = "console", _("Console")
    COMMAND = "command", _("Command")
    LANGFUSE = "langfuse", _("Langfuse's API")
    MCP = "mcp", "MCP"
    WORKER = "worker", _("Worker")


class AuditEntry(models.Model):
    """One line of the audit log, in the order of the ids.

    Triggers refuse to change it (`ops.audit.database`).
    """

    id = models.BigAutoField(_("id"), primary_key=True)
    created_at = models.DateTimeField(_("created at"))
    action = models.CharField(_("action"), max_length=64, help_text=_("What was done, such as label.moved."))
    object_type = models.CharField(_("object type"), max_length=64, blank=True)
    object_id = models.CharField(_("object id"), max_length=64, blank=True)
    object_name = models.CharField(
        _("object name"), max_length=255, blank=True, help_text=_("As it was then.")
    )
    # No foreign key: the line stays as it is when the user goes.
    actor_id = models.CharField(_("actor id"), max_length=32, blank=True)
    actor_name = models.CharField(_("actor name"), max_length=255, blank=True, help_text=_("As it was then."))
    source = models.CharField(_("source"), max_length=16, choices=Source.choices)
    address = models.CharField(_("address"), max_length=45, blank=True)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    changes = models.JSONField(
        _("changes"), default=dict, help_text=_("By field: short values as they were and are.")
    )

    class Meta:
        db_table = "audit_entries"
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        default_permissions = ("view",)
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_entries_of_an_object"),
            models.Index(fields=["actor_id", "-id"], name="audit_entries_of_an_actor"),
            models.Index(fields=["action", "-id"], name="audit_entries_of_an_action"),
            models.Index(fields=["created_at"], name="audit_entries_created"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_name}".strip()


class AuditPruning(models.Model):
    """Up to when lines may be deleted now: there is a row only while `prune_audit_log` works."""

    before = models.DateTimeField(_("before"))

    class Meta:
        db_table = "audit_pruning"
        verbose_name = _("pruning of the audit log")
        verbose_name_plural = _("prunings of the audit log")
        default_permissions = ()

    def __str__(self) -> str:
        return f"before {self.before:%Y-%m-%d}"

from django.db import models


class Source(models.TextChoices):
    API = "api", "API"
    CONSOLE = "console", "Console"
    COMMAND = "command", "Command"
    LANGFUSE = "langfuse", "Langfuse's API"
    MCP = "mcp", "MCP"
    WORKER = "worker", "Worker"


class AuditEntry(models.Model):
    """One line of the audit log, in the order of the ids.

    Triggers refuse to change it (`ops.audit.database`).
    """

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField()
    action = models.CharField(max_length=64, help_text="What was done, such as label.moved.")
    object_type = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField(max_length=255, blank=True, help_text="As it was then.")
    # No foreign key: the line stays as it is when the user goes.
    actor_id = models.CharField(max_length=32, blank=True)
    actor_name = models.CharField(max_length=255, blank=True, help_text="As it was then.")
    source = models.CharField(max_length=16, choices=Source.choices)
    address = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    changes = models.JSONField(default=dict, help_text="By field: short values as they were and are.")

    class Meta:
        db_table = "audit_entries"
        verbose_name_plural = "audit log"
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

    before = models.DateTimeField()

    class Meta:
        db_table = "audit_pruning"
        default_permissions = ()

    def __str__(self) -> str:
        return f"before {self.before:%Y-%m-%d}"

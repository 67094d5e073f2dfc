from django.db import models

from prompts.models.base import Record


class BackupDrill(Record):
    """A backup that was restored for a try, and what came out: see `ops.backups.drilling`."""

    backup = models.CharField(max_length=200, help_text="Name of its file.")
    backup_created_at = models.DateTimeField(null=True)
    sha256 = models.CharField(max_length=64)
    ok = models.BooleanField()
    tables = models.PositiveIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0)
    probes = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0.0)
    problems = models.JSONField(default=list)

    class Meta:
        db_table = "backup_drills"
        default_permissions = ("view",)
        verbose_name = "drill of a backup"
        verbose_name_plural = "drills of backups"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["created_at"], name="backup_drills_created")]

    def __str__(self) -> str:
        return self.backup

from django.db import models
from django.utils.translation import gettext_lazy as _

from prompts.models.base import Record


class BackupDrill(Record):
    """A backup that was restored for a try, and what came out: see `ops.backups.drilling`."""

    backup = models.CharField(_("backup"), max_length=200, help_text=_("Name of its file."))
    backup_created_at = models.DateTimeField(_("backup created at"), null=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    ok = models.BooleanField(_("passed"))
    tables = models.PositiveIntegerField(_("tables"), default=0)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    probes = models.PositiveIntegerField(_("probes"), default=0)
    seconds = models.FloatField(_("seconds"), default=0.0)
    problems = models.JSONField(_("problems"), default=list)

    class Meta:
        db_table = "backup_drills"
        default_permissions = ("view",)
        verbose_name = _("drill of a backup")
        verbose_name_plural = _("drills of backups")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["created_at"], name="backup_drills_created")]

    def __str__(self) -> str:
        return self.backup

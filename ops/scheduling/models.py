from django.db import models
from django.utils.translation import gettext_lazy as _


class SchedulerLease(models.Model):
    """Which process follows the schedules, and until when unless it renews that."""

    name = models.CharField(_("name"), max_length=32, primary_key=True)
    holder = models.CharField(_("holder"), max_length=128)
    until = models.DateTimeField(_("until"))

    class Meta:
        db_table = "scheduler_leases"
        verbose_name = _("scheduler lease")
        verbose_name_plural = _("scheduler leases")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"

from django.db import models
from django.utils.translation import gettext_lazy as _


class FigureMinute(models.Model):
    """What one source has counted by the end of a minute: totals, which only grow until it starts anew.

    A source is a machine, or a process where those of a machine do not share their counters.
    """

    source = models.CharField(_("source"), max_length=128)
    at = models.DateTimeField(_("at"))
    values = models.JSONField(_("values"))

    class Meta:
        db_table = "figure_minutes"
        verbose_name = _("figures of a minute")
        verbose_name_plural = _("figures of minutes")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["at", "source"], name="figure_minutes_once")]

    def __str__(self) -> str:
        return f"{self.source}, {self.at:%H:%M}"

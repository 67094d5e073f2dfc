from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from .states import Status

STATUSES: Final = {
    Status.DISABLED: _("disabled"),
    Status.OK: _("ok"),
    Status.DEGRADED: _("degraded"),
    Status.DOWN: _("down"),
}


class HealthRecord(models.Model):
    """How a part was at a moment: written when its status changes, and now and then while it does not."""

    part = models.CharField(_("part"), max_length=32)
    status = models.CharField(
        _("status"), max_length=16, choices=[(status.value, label) for status, label in STATUSES.items()]
    )
    value = models.FloatField(_("value"), null=True, help_text=_("The figure that its threshold is about."))
    detail = models.CharField(_("detail"), max_length=200, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        db_table = "health_records"
        verbose_name = _("health record")
        verbose_name_plural = _("health records")
        default_permissions = ("view",)
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["part", "-at"], name="health_records_of_a_part"),
            models.Index(fields=["-at", "-id"], name="health_records_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.part}: {self.status}"


class HealthSign(models.Model):
    """Something that happened last at a moment, or so many times: a few rows that are written over."""

    name = models.CharField(_("name"), max_length=128, primary_key=True)
    at = models.FloatField(_("at"), help_text=_("Unix seconds."))
    count = models.PositiveBigIntegerField(_("count"), default=1)
    detail = models.CharField(_("detail"), max_length=200, blank=True)

    class Meta:
        db_table = "health_signs"
        verbose_name = _("health sign")
        verbose_name_plural = _("health signs")
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

from django.db import models

from .states import Status


class HealthRecord(models.Model):
    """How a part was at a moment: written when its status changes, and now and then while it does not."""

    part = models.CharField(max_length=32)
    status = models.CharField(max_length=16, choices=[(status.value, status.value) for status in Status])
    value = models.FloatField(null=True, help_text="The figure that its threshold is about.")
    detail = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "health_records"
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

    name = models.CharField(max_length=128, primary_key=True)
    at = models.FloatField(help_text="Unix seconds.")
    count = models.PositiveBigIntegerField(default=1)
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "health_signs"
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

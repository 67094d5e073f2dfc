from django.db import models


class SchedulerLease(models.Model):
    """Which process follows the schedules, and until when unless it renews that."""

    name = models.CharField(max_length=32, primary_key=True)
    holder = models.CharField(max_length=128)
    until = models.DateTimeField()

    class Meta:
        db_table = "scheduler_leases"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"

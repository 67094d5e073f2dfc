"""Somebody follows the schedules: celery beat or, without Redis, a web server's process (docs/jobs.md)."""

from django.conf import settings
from django.utils import timezone

from ops.health.states import Finding, Status
from ops.scheduling.models import SchedulerLease


def probe() -> Finding:
    if not settings.REDIS_URL and not settings.AFN_SCHEDULE:
        return Finding(Status.DISABLED)
    lease = SchedulerLease.objects.order_by("-until").first()
    if lease is None:
        return Finding(Status.DEGRADED, "no process follows the schedules")
    left = (lease.until - timezone.now()).total_seconds()
    if left < 0:
        return Finding(Status.DEGRADED, f"no process has followed the schedules for {-left:.0f} s", -left)
    return Finding(Status.OK, "a process follows the schedules", 0.0)

"""Somebody follows the schedules: celery beat or, without Redis, a web server's process (docs/jobs.md)."""

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from ops.health.states import Finding, Status
from ops.said import say
from ops.scheduling.models import SchedulerLease


def probe() -> Finding:
    if not settings.REDIS_URL and not settings.AFN_SCHEDULE:
        return Finding(Status.DISABLED)
    lease = SchedulerLease.objects.order_by("-until").first()
    if lease is None:
        return Finding(Status.DEGRADED, say(_("no process follows the schedules")))
    left = (lease.until - timezone.now()).total_seconds()
    if left < 0:
        detail = say(_("no process has followed the schedules for %(seconds)s s"), seconds=f"{-left:.0f}")
        return Finding(Status.DEGRADED, detail, -left)
    return Finding(Status.OK, say(_("a process follows the schedules")), 0.0)

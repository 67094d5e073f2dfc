"""What came of the last job of each schedule."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from ops.jobs.models import Job
from ops.jobs.related import schedule_of

_MOST: Final = 500
_SINCE: Final = timedelta(days=40)


def last_jobs(schedules: Iterable[PeriodicTask]) -> dict[str, Job]:
    """By the name of the schedule, of those that start jobs: one query for all, of the latest jobs."""
    names = {schedule.name for schedule in schedules}
    jobs = Job.objects.exclude(slot="").filter(created_at__gt=timezone.now() - _SINCE).defer("result")
    found: dict[str, Job] = {}
    for job in jobs.order_by("-created_at", "-slot")[:_MOST]:
        if (name := schedule_of(job.slot)) in names:
            found.setdefault(name, job)
    return found

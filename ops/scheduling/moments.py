"""When a schedule is due."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from celery.utils.time import maybe_make_aware
from django.utils import timezone
from django_celery_beat.models import PeriodicTask


def due_after(schedule: Any, last: datetime) -> datetime:
    """The first moment after `last` at which one of Celery's schedules is due."""
    last = maybe_make_aware(last)
    if hasattr(schedule, "remaining_delta"):  # of days and hours, in its own zone
        last, delta, _ = schedule.remaining_delta(last.astimezone(schedule.tz))
        moment: datetime = last + delta
        return moment
    due: datetime = last + schedule.run_every
    return due


def next_run(schedule: PeriodicTask, now: datetime | None = None) -> datetime | None:
    """When it is due next; `now` where it should have been by now. None for one that is off, or for which
    there is no such moment."""
    now = now or timezone.now()
    if not schedule.enabled or not (schedule.crontab or schedule.interval):
        return None
    try:
        due = due_after(schedule.schedule, schedule.last_run_at or now)
    except (ValueError, RuntimeError, OverflowError):  # such as 31 February
        return None
    return max(due, now)

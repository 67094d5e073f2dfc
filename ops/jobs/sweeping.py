"""Finding what nobody works on: jobs whose worker has died, and those that no worker was told of.

May run in any number of processes at a time: each step is a conditional update that one of them wins.
"""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Max, Min, Q, QuerySet
from django.utils import timezone

from .models import MAX_CAUSE, OVER, Job, JobState
from .running import held_of, run
from .signals import tell
from .starting import QUEUED, tell_worker

KEPT: Final = timedelta(days=30)
BATCH: Final = 100
_PRUNED: Final = 500
_MAX_WAIT: Final = 3_600.0


def sweep() -> int:
    """Give up or start again what was abandoned, tell workers of what is due, forget what is old.

    Returns of how many jobs somebody was told.
    """
    now = timezone.now()
    free_abandoned(now)
    told = 0
    for key, queued_at in list(_untold(now).values_list("pk", "queued_at")[:BATCH]):
        claimed = Job.objects.filter(pk=key, state=JobState.WAITING, queued_at=queued_at)
        if claimed.update(queued_at=now) != 1:
            continue
        if not tell_worker(key):
            break
        told += 1
    prune(now)
    return told


def run_due() -> int:
    """Do here and now what is due, one after another; returns how many jobs were done. Without workers."""
    done = 0
    while True:
        now = timezone.now()
        free_abandoned(now)
        key = _due(now).values_list("pk", flat=True).first()
        if key is None:
            prune(now)
            return done
        done += run(key) is not None


def seconds_until_due(now: datetime | None = None) -> float:
    """How long the next job can wait; an hour at most, for others may add to them."""
    now = now or timezone.now()
    next_one = Job.objects.filter(state=JobState.WAITING).aggregate(at=Min("not_before"))["at"]
    lease = Job.objects.filter(state=JobState.RUNNING).aggregate(at=Min("lease_until"))["at"]
    return max(0.0, min([(at - now).total_seconds() for at in (next_one, lease) if at] + [_MAX_WAIT]))


def free_abandoned(now: datetime | None = None) -> int:
    """Of jobs whose lease has run out: another attempt, or the end; returns of how many."""
    now = now or timezone.now()
    changed = 0
    for job in Job.objects.filter(state=JobState.RUNNING, lease_until__lt=now)[:BATCH]:
        seconds = held_of(job.kind).total_seconds()
        values = {
            "holder": "", "lease_until": None, "finished_at": now, "queued_at": None,
            "cause": f"the worker died or gave no sign for {seconds:g} s"[:MAX_CAUSE],
        }  # fmt: skip
        if job.cancel_requested_at:
            values["state"] = JobState.CANCELLED
        elif job.attempts >= job.max_attempts:
            values["state"] = JobState.FAILED
        else:
            values |= {"state": JobState.WAITING, "finished_at": None, "not_before": now}
        held = Job.objects.filter(pk=job.pk, state=JobState.RUNNING, holder=job.holder)
        if held.filter(lease_until=job.lease_until).update(**values) == 1:
            changed += 1
            job.refresh_from_db()
            tell(job)
    return changed


def prune(now: datetime | None = None) -> int:
    """Forget jobs that were over long ago, but for the last of each kind that succeeded."""
    old = Job.objects.filter(state__in=OVER, finished_at__lt=(now or timezone.now()) - KEPT)
    keys = list(old.values_list("pk", "kind", "state", "finished_at").order_by("finished_at")[:_PRUNED])
    if not keys:
        return 0
    succeeded = Job.objects.filter(state=JobState.SUCCEEDED, kind__in={kind for _, kind, _, _ in keys})
    newest = dict(succeeded.order_by().values_list("kind").annotate(at=Max("finished_at")))
    gone = [key for key, kind, state, at in keys if state != JobState.SUCCEEDED or newest.get(kind) != at]
    return Job.objects.filter(pk__in=gone, state__in=OVER).delete()[0]


def _due(now: datetime) -> QuerySet[Job]:
    return Job.objects.filter(state=JobState.WAITING, not_before__lte=now).order_by("not_before", "pk")


def _untold(now: datetime) -> QuerySet[Job]:
    if settings.CELERY_TASK_ALWAYS_EAGER:
        return _due(now)
    return _due(now).filter(Q(queued_at=None) | Q(queued_at__lt=now - QUEUED))

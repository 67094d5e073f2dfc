"""Starting a job: a row in the caller's transaction, of which a worker is told at the commit.

Where no worker hears of it (Redis is down, the process dies at the commit), the row waits for the next sweep.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from ops.audit.recording import record
from ops.audit.values import bounded
from prompts.models import User
from prompts.queueing import enqueue

from . import background, registry
from .models import MAX_KEY, OPEN, Job, JobState
from .signals import tell

# Who was told of a job and has not begun it by then is told again.
QUEUED: Final = timedelta(minutes=2)


def start(
    kind: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    actor: User | None = None,
    key: str = "",
    slot: str = "",
    not_before: datetime | None = None,
) -> Job:
    """Have a job done in the background, now or later; returns its row, and waits for nothing.

    Where one of the same `key` (by default that of its kind) is open, or the `slot` has been started, that
    job is returned instead. Raises ``NotThere`` for an unknown kind, ``RegistryProblem`` for wrong arguments.
    """
    found = registry.get(kind)
    checked = found.check(arguments or {})
    now = timezone.now()
    job = Job(
        kind=kind,
        arguments=checked,
        key=(key or found.key(checked))[:MAX_KEY],
        slot=slot[:MAX_KEY],
        max_attempts=found.max_attempts,
        actor=actor,
        actor_name=actor.get_username()[:255] if actor else "",
        created_at=now,
        not_before=max(now, not_before or now),
    )
    if job.not_before == now:
        job.queued_at = now  # somebody is told below; who sweeps need not
    try:
        with transaction.atomic():
            if other := _same(job):
                return other
            job.save(force_insert=True)
            if actor is not None:
                who = (str(actor.pk), actor.get_username())
                record(
                    "job.started", kind="ops.job", key=job.pk, name=kind, changes=bounded(checked), actor=who
                )
    except IntegrityError:
        if other := _same(job):  # another process was faster
            return other
        raise
    tell(job)
    if job.queued_at:
        transaction.on_commit(lambda: tell_worker(job.pk), robust=True)
    return job


def tell_worker(key: str) -> bool:
    """Have a worker, or a thread of this process, do a job that waits; never raises."""
    if settings.CELERY_TASK_ALWAYS_EAGER:
        background.ask()
        return True
    from ops.tasks import run_job

    if enqueue(run_job, key, otherwise="A job waits", expires=QUEUED.total_seconds()):
        return True
    Job.objects.filter(pk=key, state=JobState.WAITING).update(queued_at=None)
    return False


def _same(job: Job) -> Job | None:
    """The job that makes this one superfluous."""
    same = Q(pk__in=[])
    if job.key:
        same |= Q(key=job.key, state__in=OPEN)
    if job.slot:
        same |= Q(slot=job.slot)
    return Job.objects.filter(same).order_by("created_at").first() if job.key or job.slot else None

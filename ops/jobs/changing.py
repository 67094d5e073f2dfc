"""What people do with jobs: cancel them, and have those tried again that came to nothing."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from ops.audit.recording import record
from prompts.errors import Refused
from prompts.models import User

from . import registry
from .models import OPEN, Job, JobState
from .signals import tell
from .starting import tell_worker

_RETRIED = (JobState.FAILED, JobState.CANCELLED)


def cancel(job: Job, actor: User | None) -> Job:
    """One that waits ends now, one that runs at its next sign of progress. Raises ``Refused`` for others."""
    now = timezone.now()
    rows = Job.objects.filter(pk=job.pk)
    with transaction.atomic():
        if not rows.filter(state=JobState.WAITING).update(
            state=JobState.CANCELLED, cancel_requested_at=now, finished_at=now
        ):
            running = rows.filter(state=JobState.RUNNING)
            if not running.filter(cancel_requested_at=None).update(cancel_requested_at=now):
                if running.exists():  # it has been asked for
                    return _fresh(job)
                raise Refused("job", "one that waits or runs", f"one that is {_fresh(job).state}")
        _record("job.cancelled", job, actor)
    job = _fresh(job)
    tell(job)
    return job


def retry(job: Job, actor: User | None) -> Job:
    """Try the same again, with as many attempts as at first. Raises ``Refused`` where it neither failed nor
    was cancelled, or another of its key is open, and ``NotThere`` where its kind is gone.
    """
    kind = registry.get(job.kind)
    now = timezone.now()
    rows = Job.objects.filter(pk=job.pk)
    if job.key and (other := Job.objects.filter(key=job.key, state__in=OPEN).exclude(pk=job.pk).first()):
        raise Refused("job", "one of which no other is open", f"job {other.pk}, which is {other.state}")
    values = {
        "state": JobState.WAITING, "not_before": now, "queued_at": now, "cancel_requested_at": None,
        "finished_at": None, "result": None, "done": 0, "total": None, "message": "",
    }  # fmt: skip
    try:
        with transaction.atomic():
            stored = _fresh(job)
            if not rows.filter(state__in=_RETRIED).update(
                **values, max_attempts=stored.attempts + kind.max_attempts
            ):
                raise Refused("job", "one that failed or was cancelled", f"one that is {stored.state}")
            _record("job.retried", job, actor)
    except IntegrityError as error:
        raise Refused("job", "one of which no other is open", "another one") from error
    job = _fresh(job)
    tell(job)
    transaction.on_commit(lambda: tell_worker(job.pk), robust=True)
    return job


def _fresh(job: Job) -> Job:
    return Job.objects.select_related("actor").get(pk=job.pk)


def _record(action: str, job: Job, actor: User | None) -> None:
    who = (actor.pk, actor.get_username()) if actor else None
    record(action, kind="ops.job", key=job.pk, name=job.kind, actor=who)

"""A job that a command does itself, with its row kept as if a worker had done it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from ops.audit.context import origin
from prompts.errors import Refused
from vectors.progress import Meter

from . import registry
from .causes import cause_of
from .models import OPEN, Job, JobState
from .registry import Kind
from .run import Run
from .running import new_holder, perform, settle
from .signals import tell
from .stopping import JobCancelled, JobLost


def run_here(kind: str, arguments: Mapping[str, Any] | None = None, *, meter: Meter) -> Job:
    """Do a job in this process and return its row; progress goes to the row and to the meter.

    A job of the same key that waits is done by this one; where one is running, raises ``Refused``. Errors of
    the function are noted and raised. Ctrl-C is noted as a cancellation and raised; where somebody else has
    cancelled it, the row that is returned says so.
    """
    found = registry.get(kind)
    checked = found.check(arguments or {})
    job = _begin(found, checked)
    try:
        result = perform(found, Run(job, found.held, show=meter.show), checked)
    except JobCancelled:
        settle(job, JobState.CANCELLED)
    except JobLost as error:
        raise Refused("job", "one that is held to its end", "one that another process took over") from error
    except KeyboardInterrupt:
        settle(job, JobState.CANCELLED, cause="Ctrl-C")
        raise
    except BaseException as error:
        settle(job, JobState.FAILED, cause=cause_of(error))
        raise
    else:
        settle(job, JobState.SUCCEEDED, result=result)
    return job


def _begin(kind: Kind, arguments: dict[str, Any]) -> Job:
    """The row of this attempt, held by this process."""
    now, key = timezone.now(), kind.key(arguments)
    values = {
        "arguments": arguments, "state": JobState.RUNNING, "holder": new_holder(), "started_at": now,
        "lease_until": now + kind.held, "actor_name": origin().who()[1][:255],
    }  # fmt: skip
    with transaction.atomic():
        other = Job.objects.filter(key=key, state__in=OPEN).first() if key else None
        if other is not None and other.state == JobState.RUNNING:
            raise Refused(
                "kind", f"one that nobody does now, for {key!r}", f"job {other.pk}, which is running"
            )
        job = other or Job(
            kind=kind.name, key=key, max_attempts=kind.max_attempts, created_at=now, not_before=now
        )
        for name, value in values.items():
            setattr(job, name, value)
        job.attempts += 1
        job.save()
    tell(job)
    return job

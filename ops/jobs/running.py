"""Doing a job: claim, call its function, note what came of it.

Who dies in between leaves a lease, which runs out within two minutes; then another attempt follows
(`ops.jobs.sweeping`).
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
from datetime import timedelta
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError
from django.db.models import F
from django.utils import timezone

from ops.audit.context import acting
from ops.audit.models import Source
from prompts.errors import RegistryProblem

from . import registry
from .causes import cause_of
from .heartbeat import beating
from .models import Job, JobState
from .registry import Kind
from .run import Run, mine
from .signals import tell
from .stopping import JobCancelled, JobLost

logger = logging.getLogger(__name__)
MAX_RESULT: Final = 64_000
# What another attempt would not change.
_FINAL: Final = (RegistryProblem, ImproperlyConfigured)


def run(key: str) -> JobState | None:
    """One attempt at a job, unless somebody else makes it or it is not to be done now: then None.

    Which state the job has afterwards. Errors of its function are noted, not raised.
    """
    job = claim(key)
    if job is None:
        return None
    try:
        kind = registry.get(job.kind)
        arguments = kind.check(job.arguments)
    except RegistryProblem as problem:  # of an older or newer version of AFN
        return settle(job, JobState.FAILED, cause=cause_of(problem))
    try:
        with acting(Source.WORKER, job.actor):
            result = perform(kind, Run(job, kind.held), arguments)
    except JobCancelled:
        return settle(job, JobState.CANCELLED)
    except JobLost:
        logger.warning("Job %s (%s) is another's by now; this attempt ends", job.pk, job.kind)
        return None
    except Exception as error:
        logger.exception("Job %s (%s) has failed", job.pk, job.kind)
        return _fail(job, kind, error)
    return settle(job, JobState.SUCCEEDED, result=result)


def claim(key: str) -> Job | None:
    """Take a job that is due."""
    now, holder = timezone.now(), new_holder()
    waiting = Job.objects.filter(pk=key, state=JobState.WAITING, not_before__lte=now)
    name = waiting.values_list("kind", flat=True).first()
    if name is None:
        return None
    claimed = waiting.update(
        state=JobState.RUNNING,
        holder=holder,
        lease_until=now + held_of(name),
        attempts=F("attempts") + 1,
        started_at=now,
        finished_at=None,
        done=0,
        total=None,
        message="",
    )
    if claimed != 1:
        return None
    job = Job.objects.select_related("actor").filter(pk=key, holder=holder).first()
    if job is not None:
        tell(job)
    return job


def perform(kind: Kind, run: Run, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Call the function; its result as it is kept, or an error where it is no JSON."""
    with beating(run, kind.lease):
        result = kind.function(run, **arguments)
    if result is None:
        return None
    text = json.dumps(result, cls=DjangoJSONEncoder, allow_nan=False)
    if len(text) > MAX_RESULT:
        return {"omitted": f"a result of {len(text):,} characters"}
    kept: dict[str, Any] = json.loads(text)
    return kept


def settle(job: Job, state: JobState, *, cause: str = "", **values: Any) -> JobState | None:
    """Note what came of it, where it is still held; None where it is another's by now."""
    now = timezone.now()
    values = {
        "state": state, "cause": cause, "finished_at": None if state == JobState.WAITING else now,
        "holder": "", "lease_until": None, "done": job.done, "total": job.total, "message": job.message,
        "cancel_requested_at": None if state == JobState.WAITING else F("cancel_requested_at"), **values,
    }  # fmt: skip
    try:
        changed = mine(job).update(**values)
    except DatabaseError as error:  # it looks as if this process had died
        logger.error("Job %s (%s): %s cannot be noted: %s", job.pk, job.kind, state, cause_of(error))
        return None
    if changed != 1:
        return None
    job.refresh_from_db()
    tell(job)
    return state


def _fail(job: Job, kind: Kind, error: Exception) -> JobState | None:
    cause = cause_of(error)
    again = isinstance(error, kind.retry_on) and not isinstance(error, _FINAL)
    if not again or job.attempts >= job.max_attempts:
        return settle(job, JobState.FAILED, cause=cause)
    if mine(job).exclude(cancel_requested_at=None).exists():
        return settle(job, JobState.CANCELLED, cause=cause)
    return settle(
        job,
        JobState.WAITING,
        cause=cause,
        not_before=timezone.now() + kind.delay(job.attempts),
        queued_at=None,
    )


def new_holder() -> str:
    return f"{socket.gethostname()[:64]} {os.getpid()} {secrets.token_hex(8)}"


def held_of(name: str) -> timedelta:
    try:
        return registry.get(name).held
    except RegistryProblem:
        return registry.HELD

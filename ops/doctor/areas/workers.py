"""Who does what takes long or recurs: workers, and the one scheduler."""

from typing import Final

from celery import current_app
from django.conf import settings
from redis.exceptions import RedisError

from ops.health.parts import workers
from ops.health.states import Status
from ops.scheduling.models import SchedulerLease

from ..examining import Case
from ..findings import Notes

_PING_SECONDS: Final = 2.0
_START_WORKER: Final = (
    "Start one: `celery -A afn_project worker`, or `docker compose up -d worker`; look at its log."
)
_NO_WORKER: Final = "Jobs wait, prompts are not embedded, webhooks are not told."


def look_at_workers(notes: Notes, case: Case) -> None:
    if not settings.REDIS_URL:
        notes.ok("workers", "none: without Redis the web server's processes do their work")
        return
    try:
        found = workers.probe()
    except (RedisError, OSError):
        notes.warn("workers", "not known while Redis does not answer", _NO_WORKER, "Mend Redis first.")
        return
    if found.status == Status.OK:
        notes.ok("workers", found.detail)
    else:
        notes.problem("workers", found.detail, _NO_WORKER, _START_WORKER)
    if case.deep:
        _ping(notes)


def _ping(notes: Notes) -> None:
    """Leaves a name in Redis under which answers come, as each such question of Celery's does."""
    answers = current_app.control.ping(timeout=_PING_SECONDS) or []
    names = sorted(name for answer in answers for name in answer)
    if names:
        notes.ok("ping", f"{len(names)} answer: {', '.join(names)[:200]}")
    else:
        notes.problem("ping", f"none answers within {_PING_SECONDS:g} s", _NO_WORKER, _START_WORKER)


def look_at_scheduler(notes: Notes, case: Case) -> None:
    if not settings.REDIS_URL and not settings.AFN_SCHEDULE:
        notes.warn(
            "scheduler",
            "AFN_SCHEDULE is off, and there is no Redis",
            "Nothing that recurs is done: backups, cleaning, catching up.",
            "Set AFN_SCHEDULE=1, or call the commands by another scheduler (docs/jobs.md).",
        )
        return
    leases = list(SchedulerLease.objects.order_by("-until"))
    alive = [one for one in leases if one.until >= case.now]
    cause = "Backups, cleaning up and all else that recurs is not done, and nobody starts jobs that wait."
    remedy = (
        "Start it: `celery -A afn_project beat`, or `docker compose up -d beat`; look at its log."
        if settings.REDIS_URL
        else "Start the web server: one of its processes follows the schedules. Look at its log."
    )
    if len(alive) > 1:
        notes.problem(
            "scheduler",
            f"{len(alive)} processes follow schedules: {', '.join(_process(one) for one in alive)}",
            "What recurs is done more than once.",
            "End all but one of them: one lease is for all.",
        )
    elif alive:
        notes.ok("scheduler", f"{_process(alive[0])} follows the schedules")
    elif leases:
        silence = (case.now - leases[0].until).total_seconds()
        notes.problem("scheduler", f"nobody has followed the schedules for {_told(silence)}", cause, remedy)
    elif settings.REDIS_URL:
        notes.problem("scheduler", "nobody follows the schedules", cause, remedy)
    else:  # as while the web server is stopped
        notes.warn("scheduler", "nobody follows the schedules", cause, remedy)


def _process(lease: SchedulerLease) -> str:
    """Its machine and process, without the random rest."""
    return " ".join(lease.holder.split(" ")[:2])


def _told(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds < 600 else f"{seconds / 3_600:,.1f} h"

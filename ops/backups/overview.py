"""What the console shows of backups: each of them, whether it was proved, what is in it, what keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Any, Final

from django.conf import settings
from django_celery_beat.models import PeriodicTask

from ops.beat import START_JOB
from ops.environments.base import EnvironmentProblem
from ops.environments.current import get_provider
from ops.jobs.models import Job, JobState
from ops.scheduling import offers
from ops.scheduling.moments import next_run

from . import catalogue, pruning, s3
from .catalogue import Catalogue, Known
from .folder import stored
from .models import BackupDrill
from .names import BackupName

# Jobs that are of backups, as pages show them while they go on.
KINDS: Final = ("back_up", "upload_backups", "drill_backup", "verify_backup", "prune_backups")
# Those whose result says what a backup holds.
_TELLING: Final = ("back_up", "verify_backup")
_MOST_RESULTS: Final = 100
_MOST_DRILLS: Final = 1_000


@dataclass
class Row:
    """One backup. ``tables`` are their rows by name, None where nobody has read it yet; ``keeps`` is what of
    the rule keeps it, nothing where it is removed next."""

    known: Known
    drill: BackupDrill | None = None
    tables: Mapping[str, int] | None = None
    keeps: list[str] = field(default_factory=list)

    @property
    def name(self) -> BackupName:
        return self.known.name

    @property
    def rows(self) -> int | None:
        if self.tables is not None:
            return sum(self.tables.values())
        return self.drill.rows if self.drill and self.drill.ok else None

    @property
    def prompts(self) -> int | None:
        return self.tables.get("prompts") if self.tables else None


@dataclass
class Overview:
    rows: list[Row]
    problem: str = ""
    has_bucket: bool = False
    # The bucket was not asked, which may take long: a part of the page does that.
    is_partial: bool = False
    environment: str = ""
    rule: str = ""
    prunes_at: datetime | None = None
    backs_up_at: datetime | None = None

    @property
    def bytes(self) -> int:
        return sum(row.known.bytes for row in self.rows)

    @property
    def going(self) -> int:
        return sum(not row.keeps for row in self.rows)


def overview(*, with_bucket: bool) -> Overview:
    """All backups, the newest first."""
    is_partial = s3.is_configured() and not with_bucket
    try:
        found = _here() if is_partial else catalogue.read()
    except EnvironmentProblem as problem:
        found = Catalogue([], str(problem))
    names = [one.name for one in found.backups]
    drills, tables = _drills(names), _tables()
    keeps = pruning.reasons(names)
    return Overview(
        rows=[
            Row(one, drills.get(str(one.name)), tables.get(str(one.name)), keeps.get(one.name, []))
            for one in found.backups
        ],
        problem=found.problem,
        has_bucket=s3.is_configured(),
        is_partial=is_partial,
        environment=environment(),
        rule=str(settings.AFN_BACKUPS_KEEP),
        prunes_at=_next("prune_backups"),
        backs_up_at=_next("back_up"),
    )


def find(name: BackupName) -> Row | None:
    """One of them; the bucket is asked only where it is not in the folder."""
    known = next((one for one in _here().backups if one.name == name), None)
    if known is None and s3.is_configured():
        known = next((one for one in catalogue.read(name.environment).backups if one.name == name), None)
    if known is None:
        return None
    keeps = pruning.reasons([one.name for one in stored()] or [name]).get(name, [])
    return Row(known, _drills([name]).get(str(name)), _tables().get(str(name)), keeps)


def open_jobs() -> list[Job]:
    states = (JobState.WAITING, JobState.RUNNING)
    return list(Job.objects.filter(kind__in=KINDS, state__in=states).defer("result").order_by("created_at"))


def environment() -> str:
    """The one that this AFN works on; empty where a setting is missing."""
    try:
        return get_provider().current
    except EnvironmentProblem:
        return ""


def told_of(name: BackupName) -> dict[str, Any]:
    """What the newest job that read or made it has said of it."""
    return _results().get(str(name), {})


def _here() -> Catalogue:
    return Catalogue([Known(one.name, here=one) for one in stored()])


def _drills(names: Iterable[BackupName]) -> dict[str, BackupDrill]:
    """The last one of each."""
    texts = [str(name) for name in names][:_MOST_DRILLS]
    drills = BackupDrill.objects.filter(backup__in=texts).order_by("created_at")
    return {one.backup: one for one in drills}


def _tables() -> dict[str, Mapping[str, int]]:
    found = {name: result.get("tables") for name, result in _results().items()}
    return {name: tables for name, tables in found.items() if isinstance(tables, dict)}


def _results() -> dict[str, dict[str, Any]]:
    """By the name of a backup."""
    jobs = Job.objects.filter(kind__in=_TELLING, state=JobState.SUCCEEDED).order_by("-finished_at")
    found: dict[str, dict[str, Any]] = {}
    for result in jobs.values_list("result", flat=True)[:_MOST_RESULTS]:
        if isinstance(result, dict):
            name = PurePath(str(result.get("path") or result.get("backup") or "")).name
            found.setdefault(name, result)
    return found


def _next(kind: str) -> datetime | None:
    """When the schedule of a kind of job is due."""
    schedules = PeriodicTask.objects.filter(task=START_JOB, enabled=True).select_related(
        "crontab", "interval", "solar", "clocked"
    )
    moments = [next_run(one) for one in schedules if offers.choice_of(one) == f"job {kind}"]
    return min((one for one in moments if one), default=None)

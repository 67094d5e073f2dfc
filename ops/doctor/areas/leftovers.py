"""What processes that died have left, and what was kept for a while and then forgotten."""

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import psutil
from django.conf import settings

from ops.environments import current
from ops.environments.base import EnvironmentProblem
from ops.environments.local_files import read
from ops.environments.local_swap import FROZEN, SWAPPING
from ops.monitoring.processes import VARIABLE

from ..examining import Case
from ..findings import Notes

# Whoever makes a backup or a copy is through by then.
_AT_WORK: Final = timedelta(hours=1)
_SWAPPED: Final = timedelta(minutes=2)
KEPT: Final = timedelta(days=14)
_BEFORE: Final = re.compile(r"before-restore-(\d{14})-[0-9a-f]{4}")
_RESTORED: Final = re.compile(r"\..+\.restored-(\d+)")
_OF_A_PROCESS: Final = re.compile(r"[a-z_]+_(\d+)\.db")
_MANY: Final = 200  # files of figures, each read at every scrape
_SHOWN: Final = 5


def look(notes: Notes, case: Case) -> None:
    _look_for_files(notes, case)
    if case.file is not None:
        _look_at_notice(notes, case, Path(f"{case.file}{FROZEN}"))
    _look_at_kept(notes, case)
    _look_at_figures(notes)


def _look_for_files(notes: Notes, case: Case) -> None:
    found = sorted(set(left_files(case)))
    if not found:
        notes.ok("unfinished files", "none")
        return
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    notes.warn(
        "unfinished files",
        ", ".join(map(str, found[:_SHOWN])) + more,
        "Left by a backup, a copy or a restore that was killed: they take room, and may hold all of the "
        "data.",
        "Nobody needs them. While no backup or restore runs: rm -rf " + " ".join(map(str, found[:_SHOWN])),
    )


def left_files(case: Case) -> Iterator[Path]:
    folders = {Path(settings.AFN_BACKUPS_DIR), Path(settings.AFN_ENVIRONMENTS_DIR)}
    folders |= {case.file.parent} if case.file is not None else set()
    for folder in folders:
        for pattern in (".staging-*", ".new-*"):
            yield from (path for path in folder.glob(pattern) if _age(path, case.now) > _AT_WORK)
        for path in folder.glob(".*.restored-*"):
            if (match := _RESTORED.fullmatch(path.name)) and not psutil.pid_exists(int(match[1])):
                yield path


def _look_at_notice(notes: Notes, case: Case, notice: Path) -> None:
    if read(notice) != SWAPPING:
        return
    if _age(notice, case.now) > _SWAPPED:
        notes.problem(
            "restore",
            f"{notice} says that another database is being put into its place, since "
            f"{_age(notice, case.now).total_seconds() / 60:,.0f} minutes",
            "That takes a moment: who did it was killed, and nobody can write since. The old database or "
            "the new one is in its place, whole.",
            f"See which one it is, then `manage.py environments unfreeze {_current()}`.",
        )
    else:
        notes.warn(
            "restore",
            "another database is just being put into its place",
            "Nobody can write meanwhile.",
            "Wait a moment, then run this again.",
        )


def _look_at_kept(notes: Notes, case: Case) -> None:
    try:
        environments = current.get_provider().list()
    except EnvironmentProblem:
        return
    old = []
    for one in environments:
        if (match := _BEFORE.fullmatch(one.name)) and not one.is_current:
            made = datetime.strptime(f"{match[1]}+0000", "%Y%m%d%H%M%S%z")
            if case.now - made > KEPT:
                old.append(one.name)
    if old:
        notes.warn(
            "kept environments",
            f"{', '.join(old[:_SHOWN])}: older than {KEPT.days} days",
            "What was in the place of a restored database is kept until somebody deletes it: it takes "
            "room, and holds what may have been deleted since.",
            " && ".join(f"manage.py environments delete {name}" for name in old[:_SHOWN]),
        )
    else:
        notes.ok("kept environments", f"none older than {KEPT.days} days")


def _look_at_figures(notes: Notes) -> None:
    if not (name := os.environ.get(VARIABLE)):
        return
    dead = [
        path
        for path in Path(name).glob("*.db")
        if (match := _OF_A_PROCESS.fullmatch(path.name)) and not psutil.pid_exists(int(match[1]))
    ]
    if len(dead) > _MANY:
        notes.warn(
            "figures of processes",
            f"{len(dead):,} files in {name} are of processes that are gone",
            "Each is read at every scrape of /metrics.",
            "Restart the web server by its command (docs/deployment.md), which begins with an empty folder.",
        )
    else:
        notes.ok("figures of processes", f"{len(dead):,} files of processes that are gone")


def _current() -> str:
    try:
        return current.get_provider().current
    except EnvironmentProblem:
        return "NAME"


def _age(path: Path, now: datetime) -> timedelta:
    try:
        changed = path.lstat().st_mtime
    except OSError:  # just gone
        return timedelta()
    return now - datetime.fromtimestamp(changed, now.tzinfo)

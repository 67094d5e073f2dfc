"""Room for the database, the backups and the log, and the clock that all go by."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

from ops.backups import folder
from ops.environments.local_files import size
from ops.health.thresholds import DISK_FREE, DISK_FREE_BYTES

from ..examining import Case
from ..findings import Notes

_APART: Final = 2.0  # seconds by which clocks may differ
_FUTURE: Final = 60.0  # seconds
_FULL: Final = "Nothing can be written to a full disk: every change fails."


def look(notes: Notes, case: Case) -> None:
    for name, path in places(case).items():
        usage = shutil.disk_usage(path)
        share = usage.free / usage.total if usage.total else 0.0
        found = f"{usage.free / 1e9:,.1f} GB of {usage.total / 1e9:,.1f} are free ({share:.0%})"
        needed = 2 * size(case.file) if name == "database" and case.file else 0
        inodes = os.statvfs(path)
        if usage.free < needed or DISK_FREE_BYTES.is_crossed(usage.free):
            notes.problem(name, found, _FULL, f"Make room at {path}: `manage.py prune_backups`, old logs.")
        elif inodes.f_files and inodes.f_favail < 0.01 * inodes.f_files:
            notes.problem(
                name, f"{inodes.f_favail:,} more files can be made", _FULL, f"Remove files at {path}."
            )
        elif DISK_FREE.is_crossed(share) and usage.free < 10 * max(needed, 1_000_000_000):
            notes.warn(name, found, _FULL, f"Make room at {path}: `manage.py prune_backups`, old logs.")
        else:
            notes.ok(name, found)


def places(case: Case) -> dict[str, Path]:
    """By what they hold; of a folder that is not there yet, the one that it would be made in."""
    found = {"backups": Path(settings.AFN_BACKUPS_DIR)}
    if case.file is not None:
        found = {"database": case.file.parent} | found
    if log := log_file():
        found["log"] = log.parent
    return {name: _existing(path.absolute()) for name, path in found.items()}


def log_file() -> Path | None:
    """AFN_LOG_FILE, by what was made of it."""
    handler: dict[str, Any] = settings.LOGGING.get("handlers", {}).get("file", {})
    return Path(handler["filename"]) if "filename" in handler else None


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())


def look_at_clock(notes: Notes, case: Case) -> None:
    future = sorted({str(path) for path in _recent(case) if path.stat().st_mtime > time.time() + _FUTURE})
    if future:
        notes.warn(
            "clock",
            f"from the future: {', '.join(future)[:300]}",
            "The clock of this machine was set back, or is wrong: leases, limits and the order of backups "
            "go by it.",
            "Let the machine take its time from the network (`timedatectl set-ntp true`).",
        )
    else:
        notes.ok("clock", f"{timezone.now():%Y-%m-%d %H:%M:%S} UTC; times are shown in {settings.TIME_ZONE}")


def look_at_server_clock(notes: Notes, case: Case) -> None:
    """A server stamps rows by its own clock."""
    if case.file is not None:
        return
    before = time.time()
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT (julianday('now') - 2440587.5) * 86400.0")
        (there,) = cursor.fetchone()
    away = float(there) - (before + time.time()) / 2
    if abs(away) > _APART:
        notes.warn(
            "clock of the database",
            f"{abs(away):.1f} s {'before' if away > 0 else 'behind'} this machine's",
            "Jobs are due too early or too late, and tokens not valid yet, or no more.",
            "Let both machines take their time from the network (`timedatectl set-ntp true`).",
        )
    else:
        notes.ok("clock of the database", f"{1_000 * away:+.0f} ms from this machine's")


def _recent(case: Case) -> Iterator[Path]:
    if case.file is not None and case.file.exists():
        yield case.file
    yield from (one.path for one in folder.stored())

"""Who else on this machine may read what is AFN's alone: the database, backups, environments, the log."""

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings

from ops.backups import folder
from ops.environments.local_files import COMPANIONS

from ..examining import Case
from ..findings import Notes
from .disk import log_file

_SHOWN: Final = 10


def look(notes: Notes, case: Case) -> None:
    wide = [path for path in private_paths(case) if _mode(path) & 0o077]
    for path in wide[:_SHOWN]:
        kind, mode = ("folder", "700") if path.is_dir() else ("file", "600")
        notes.problem(
            f"{kind} {path.name}",
            f"{path} has mode {_mode(path):04o}",
            "Others on this machine can read prompts and hashes of passwords there, or more.",
            f"chmod {mode} {shlex.quote(str(path))}",
        )
    if len(wide) > _SHOWN:
        notes.problem(
            "more files",
            f"{len(wide) - _SHOWN:,} more like these",
            "They can be read as well.",
            f"chmod -R go= {shlex.quote(str(folder.folder()))}",
        )
    if not wide:
        notes.ok("files", "database, backups, environments and log are this user's alone")
    _look_at_writing(notes, case)


def private_paths(case: Case) -> Iterator[Path]:
    """Those that are there."""
    candidates: list[Path] = []
    if case.file is not None:
        candidates += [case.file, *(Path(f"{case.file}{ending}") for ending in COMPANIONS)]
    for place in (
        Path(settings.AFN_BACKUPS_DIR),
        Path(settings.AFN_ENVIRONMENTS_DIR),
        Path(settings.AFN_RUN_DIR),
    ):
        candidates.append(place)
    candidates += [one.path for one in folder.stored()]
    candidates += sorted(Path(settings.AFN_ENVIRONMENTS_DIR).glob("*.db"))
    if log := log_file():
        candidates.append(log)
    yield from (path for path in candidates if path.exists())


def _look_at_writing(notes: Notes, case: Case) -> None:
    """By the rights of who runs this, which may be another user than the server's."""
    if case.file is None or not case.file.exists():
        return
    closed = [path for path in (case.file, case.file.parent) if not os.access(path, os.W_OK)]
    if closed:
        notes.problem(
            "writing",
            f"this user may not write {closed[0]}",
            "The database is written in its file, and beside it.",
            f"Run it as the user that the web server runs as, or: chown {os.geteuid()} "
            f"{shlex.quote(str(closed[0]))}",
        )


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)

"""Can the database be read, how fast, and may it be written?"""

import time
from pathlib import Path
from statistics import median
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections

from ops.environments import current
from ops.environments.base import EnvironmentProblem
from ops.environments.local_files import read, size
from ops.environments.local_swap import FROZEN
from ops.jobs.causes import redacted

from ..examining import Case
from ..findings import Notes

_READS: Final = 5
_SLOW_FILE, _SLOW_SERVER = 0.05, 0.3  # seconds


def look(notes: Notes, case: Case) -> None:
    file = case.file
    if file is not None and not file.exists():
        notes.problem(
            "connection",
            f"there is no file {file}",
            "Nothing can be read or kept before the tables are there.",
            "`manage.py init_db` makes it. Where there was one: `manage.py restore_database FILE`, and "
            "look at AFN_DATABASE_FILE and AFN_ENVIRONMENT.",
        )
        return
    try:
        seconds = _read_seconds()
    except Exception as error:  # noqa: BLE001 - whatever keeps it from being read
        _say_unreadable(notes, case, error)
        return
    where = f"the server {case.target.name}" if file is None else f"the file {file}, {size(file):,} bytes"
    if seconds > (_SLOW_SERVER if file is None else _SLOW_FILE):
        notes.warn(
            "connection",
            f"{where}; a read takes {1_000 * seconds:.0f} ms",
            "Every page makes several reads, one after the other.",
            "Keep AFN near its database, a file on a local disk; see `manage.py slow_queries`, and the "
            "load of the machine.",
        )
    else:
        notes.ok("connection", f"{where}; a read takes {1_000 * seconds:.2f} ms")
    _look_whether_frozen(notes, file)


def can_be_read(notes: Notes) -> bool:
    """Whether `look` found a database."""
    return all(one.name != "connection" or one.status != "problem" for one in notes.findings)


def _read_seconds() -> float:
    """Without the first, which connects."""
    times = []
    for _ in range(_READS + 1):
        started = time.perf_counter()
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM sqlite_master")
            cursor.fetchone()
        times.append(time.perf_counter() - started)
    return median(times[1:])


def _say_unreadable(notes: Notes, case: Case, error: Exception) -> None:
    text = redacted(str(error).partition("\n")[0])[:200]
    if case.file is None:
        remedy = (
            "Is it running, at TURSO_DATABASE_URL, and is TURSO_AUTH_TOKEN still valid? `docker compose ps "
            "libsql`, or `turso db show NAME`; `manage.py environments token NAME` signs a new token."
        )
    elif "not a database" in text or "malformed" in text:
        remedy = (
            "With AFN_DATABASE_KEY: it has to be the key that the file was made with. Otherwise the file "
            "is damaged: `manage.py list_backups`, then `manage.py restore_database FILE`."
        )
    else:
        remedy = f"Look at the owner and rights of {case.file} and its folder, and for free space: `ls -la`."
    notes.problem("connection", f"it cannot be read: {text}", "Nothing works without it.", remedy)


def _look_whether_frozen(notes: Notes, file: Path | None) -> None:
    try:
        provider: Any = current.get_provider()
        name = provider.current
        reason = read(Path(f"{file}{FROZEN}")) if file else provider.get(name).frozen
    except EnvironmentProblem as problem:
        if file is None:
            notes.ok("writing", f"whether it is frozen is not told here: {problem}")
            return
        name, reason = "NAME", read(Path(f"{file}{FROZEN}"))
    if reason:
        notes.warn(
            "writing",
            f"frozen: {reason}",
            "It is read, and whoever writes gets this reason.",
            f"When it may be written again: `manage.py environments unfreeze {name}`.",
        )
    else:
        notes.ok("writing", "not frozen")

"""Putting another database into the place of a file that others have open.

A database is its file and its write-ahead log, and two names cannot be exchanged in one step. So the log is
taken into the file first, while nobody writes; then the file alone is the whole database, and one rename puts
the new one into its place. Whoever is killed at any point leaves the old database or the new one.

Who has the old file open goes on reading it until the end of the request, and is told of the change when
writing (`afn_project.libsql.local`).
"""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from django.db import DatabaseError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from .base import EnvironmentProblem, ProviderFailed
from .local_files import COMPANIONS, WAL, link_or_copy, read, sync, write

FROZEN: Final = ".frozen"  # the engine looks for it beside the file, and says its text to whoever writes
# Its text while another database is put into the place of this one.
SWAPPING: Final = "another database is being put into its place; try again in a moment"
WAIT: Final = 30.0  # seconds, for those who write, and for those who read what is not in the file yet
_PAUSE: Final = 0.02
Opened = Callable[[Path], AbstractContextManager[BaseDatabaseWrapper]]


def put_in_place(database: Path, new: Path, kept: Path, opened: Opened) -> Path | None:
    """`new`, which nobody has open, becomes `database`; what that was becomes `kept`. Where that is now.

    It is beside the database instead where `kept` would be on another disk, and nowhere (None) where there
    was no database. One that cannot be opened is kept with its log. `opened` gives a connection that waits
    for locks. Raises ``EnvironmentProblem``; the old one is in its place then.
    """
    # On the disk of the database, so that one rename does it.
    staged = database.with_name(f".{database.name}.restored-{os.getpid()}")
    with ExitStack() as stack:
        try:
            staged.unlink(missing_ok=True)
            stack.callback(staged.unlink, missing_ok=True)
            link_or_copy(new, staged)
            sync(staged)
            if database.exists():
                has_log = not _keep_writers_out(database, opened, stack)
                where = _keep(database, kept, with_log=has_log)
                stack.enter_context(_frozen(database))
                for ending in COMPANIONS:
                    Path(f"{database}{ending}").unlink(missing_ok=True)
            else:
                where = None
            os.replace(staged, database)
            sync(database.parent)
            new.unlink()
        except OSError as error:
            raise ProviderFailed(f"{database} cannot be replaced: {error.strerror}.") from error
        return where


def _keep_writers_out(database: Path, opened: Opened, stack: ExitStack) -> bool:
    """Until the end of the stack. True where the file alone is the whole database then, False where it cannot
    be opened at all."""
    try:
        cursor = stack.enter_context(opened(database)).cursor()
        cursor.execute("BEGIN IMMEDIATE")
        stack.callback(_roll_back, cursor)
        with opened(database) as other:
            _take_log_in(database.name, other.cursor())
    except OperationalError as error:
        raise EnvironmentProblem(
            f"{database.name} is in use ({error}): nothing was changed. Try again."
        ) from error
    except DatabaseError:
        return False
    return True


def _take_log_in(name: str, cursor: Any) -> None:
    """All of the log, which needs no lock for writing, but that nobody reads an older state."""
    until = time.monotonic() + WAIT
    while True:
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
        ((_, frames, taken),) = cursor.fetchall()
        if frames == taken:
            return
        if time.monotonic() > until:
            raise EnvironmentProblem(
                f"Somebody has been reading {name} for {WAIT:g} s in one transaction: nothing was changed. "
                "End it, and try again."
            )
        time.sleep(_PAUSE)


def _keep(database: Path, kept: Path, *, with_log: bool) -> Path:
    """Give the old database another name beside its own."""
    try:
        os.link(database, kept)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        kept = database.with_name(kept.name)
        os.link(database, kept)
    log = Path(f"{database}{WAL}")
    if with_log and log.exists():
        os.link(log, f"{kept}{WAL}")
    sync(kept.parent)
    return kept


@contextmanager
def _frozen(database: Path) -> Iterator[None]:
    """Nobody begins to write in this moment: a connection that was just opened would do so into a log that
    the new database then took for its own."""
    notice = Path(f"{database}{FROZEN}")
    was_frozen = bool(read(notice))
    if not was_frozen:
        write(notice, SWAPPING)
    try:
        yield
    finally:
        if not was_frozen:
            notice.unlink(missing_ok=True)


def _roll_back(cursor: Any) -> None:
    with suppress(DatabaseError):
        cursor.execute("ROLLBACK")

"""A folder for what is being made or looked at, which nothing survives: not even whoever is killed in it.

The folder is locked while it is in use. One that is not was left by a process that died, and is removed by
the next one that comes.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from .errors import BackupProblem, NoSpace

_PREFIX: Final = ".staging-"
SPARE: Final = 50_000_000  # bytes to be left free on the disk


@contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """A new folder below `parent`, for its owner alone. Raises ``BackupProblem`` where there can be none."""
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear_left(parent)
        folder, lock = _make(parent)
    except OSError as error:
        raise BackupProblem(f"{parent}: expected a folder that can be written: {error.strerror}.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _make(parent: Path) -> tuple[Path, int]:
    """A new folder, and the descriptor that holds its lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        with suppress(FileNotFoundError):  # taken for a left one before it was locked
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)


def check_space(folder: Path, needed: int) -> None:
    """Raises ``NoSpace`` where so many bytes would not leave room on the disk."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise NoSpace(
            f"{needed:,} bytes are needed on the disk of {folder}, with {SPARE:,} to spare; {free:,} are "
            "free. Nothing was written."
        )


def _clear_left(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
        except OSError:  # just gone, or not a folder of ours
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass  # somebody is at work in it
        finally:
            os.close(lock)

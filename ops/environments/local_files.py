"""Files of environments: made whole or not at all, and readable by their owner alone."""

import errno
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .base import NameTaken, ProviderFailed

WAL = "-wal"
COMPANIONS = (WAL, "-shm")
_BEGUN = ".new-"  # how the names of files begin that are not complete yet
# A log is copied after its database, and once more where it was begun anew meanwhile: the beginning of an old
# one would take back what later pages of it had changed. Both targets are made at first, so that where the
# caller is killed meanwhile, none appears after its leavings were removed.
_COPY = """
import os, shutil, sys
source, target, wal = sys.argv[1:]
made = [os.open(target + end, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600) for end in ("", wal)]
with open(source, "rb") as old, os.fdopen(made[0], "wb") as new:
    shutil.copyfileobj(old, new, 1 << 20)
with os.fdopen(made[1], "r+b") as new:
    while True:
        new.seek(0)
        new.truncate()
        try:
            with open(source + wal, "rb") as old:
                shutil.copyfileobj(old, new, 1 << 20)
                now = os.pread(old.fileno(), 32, 0)
        except FileNotFoundError:
            break
        if os.pread(new.fileno(), 32, 0) == now:
            break
"""


@contextmanager
def begun(target: Path) -> Iterator[Path]:
    """A file to fill in the block; it is there under the name of `target` only when that went well.

    Only for whoever holds the lock of the folder: what others have begun there is removed.
    """
    for left in target.parent.glob(f"{_BEGUN}*"):  # of an attempt that was interrupted
        left.unlink()
    new = _beside(target, ".db")
    try:
        yield new
        sync(new)
        if os.path.lexists(target):
            raise NameTaken(f"{target.name} appeared in its folder just now.")
        new.rename(target)
    except OSError as error:
        raise ProviderFailed(f"{target} cannot be made: {error.strerror}.") from error
    finally:
        for ending in ("", *COMPANIONS):
            Path(f"{new}{ending}").unlink(missing_ok=True)


def copy_database(source: Path, target: Path) -> None:
    """Copy a database file and its write-ahead log, while the caller is in a transaction that reads.

    Writers go on: what they write meanwhile goes to the end of the log, and is part of the copy as far as it
    was committed. The transaction keeps the log from being begun anew over what is not in the file yet, and
    the file from being changed by what is not in the log.

    In a process of its own: closing a second descriptor of a file ends a process's locks on it (POSIX).
    """
    done = subprocess.run(  # noqa: S603 - no shell, and paths of checked names
        [sys.executable, "-I", "-c", _COPY, str(source), str(target), WAL],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise ProviderFailed(f"{source.name} cannot be copied: {reason}")


def link_or_copy(source: Path, target: Path) -> None:
    """The same file under another name, or a copy where that is on another disk."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP):
            raise
        shutil.copyfile(source, target)
        target.chmod(0o600)


def write(file: Path, text: str) -> None:
    """In one step."""
    new = _beside(file)
    try:
        made = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(made, "w", encoding="utf-8") as out:
            out.write(text)
        new.replace(file)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise ProviderFailed(f"{file} cannot be written: {error.strerror}.") from error


def read(file: Path) -> str:
    """The text of a file; empty where there is none."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def size(database: Path) -> int:
    """Bytes of a database and its write-ahead log."""
    return sum(_size(Path(f"{database}{ending}")) for ending in ("", WAL))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _beside(file: Path, ending: str = "") -> Path:
    return file.with_name(f"{_BEGUN}{secrets.token_hex(4)}{ending}")


def sync(file: Path) -> None:
    """To the disk: a name must not outlive a crash that its content does not. Nobody else has it open."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

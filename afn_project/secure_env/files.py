"""Files with secrets: read within bounds, written whole or not at all, one change at a time."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .problems import Missing, SecretProblem

_NEW = ".new"  # a fixed name: what a killed process left is replaced by the next


def read_limited(path: Path, most: int, name: str = "") -> bytes:
    """The content of a file of up to `most` bytes; raises ``Missing`` and ``SecretProblem``."""
    return read_checked(path, most, name)[0]


def read_checked(path: Path, most: int, name: str = "") -> tuple[bytes, os.stat_result]:
    """The same with the file's status, of the very file that was read; `name` starts each message."""
    name = name or str(path)
    try:
        # A named pipe would keep the start waiting for somebody to write.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:
            status = os.fstat(opened.fileno())
            if not stat.S_ISREG(status.st_mode):
                kind = "a folder" if stat.S_ISDIR(status.st_mode) else "something else"
                raise SecretProblem(f"{name}: expected a file, got {kind}.")
            content = opened.read(most + 1)
    except FileNotFoundError:
        raise Missing(f"{name}: there is no such file.") from None
    except IsADirectoryError:
        raise SecretProblem(f"{name}: expected a file, got a folder.") from None
    except OSError as error:
        raise SecretProblem(f"{name} cannot be read: {error.strerror}.") from None
    except ValueError:  # a NUL in the path
        raise SecretProblem(f"{name}: expected the path of a file.") from None
    if len(content) > most:
        raise SecretProblem(f"{name}: expected {most:,} bytes at most, got more.")
    return content, status


def as_text(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:  # not chained: it holds the content
        pass
    raise SecretProblem(f"{name}: expected UTF-8 text, got other bytes.")


def new_name(path: Path) -> Path:
    """Where the next content of a file is written. Links are followed: their target is what is replaced."""
    target = Path(os.path.realpath(path))
    return target.with_name(target.name + _NEW)


def write_new(path: Path, content: bytes, *, as_before: bool = True) -> None:
    """Write what `put_in_place` will make the content of `path`.

    With the owner and rights that the file has (`as_before`), else for this user alone.
    """
    new = new_name(path)
    try:
        with suppress(FileNotFoundError):
            new.unlink()
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as opened:
            if as_before:
                _take_after(path, opened.fileno())
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise SecretProblem(f"{path} cannot be written: {error.strerror}.") from None
    sync_folder(new.parent)


def put_in_place(path: Path) -> None:
    """In one step: whoever reads finds the old file or the new one, also after a crash."""
    target = Path(os.path.realpath(path))
    try:
        os.replace(new_name(path), target)
    except OSError as error:
        raise SecretProblem(f"{path} cannot be replaced: {error.strerror}.") from None
    sync_folder(target.parent)


def replace(path: Path, content: bytes, *, as_before: bool = True) -> None:
    write_new(path, content, as_before=as_before)
    put_in_place(path)


def remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise SecretProblem(f"{path} cannot be removed: {error.strerror}.") from None
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """A name survives a crash of the machine once its folder is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One command at a time; a second one is refused, since an editor may be open for hours."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SecretProblem(f"{folder} cannot be opened: {error.strerror}.") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SecretProblem(
                "Another `manage.py secure_env` is at work on these files: wait for it."
            ) from None
        yield
    finally:
        os.close(descriptor)


def is_open_to_others(status: os.stat_result) -> bool:
    return bool(stat.S_IMODE(status.st_mode) & 0o077)


def _take_after(path: Path, descriptor: int) -> None:
    """The owner and rights of the file that is replaced: the server may be another user than this one."""
    try:
        old = path.stat()
    except FileNotFoundError:
        return
    new = os.fstat(descriptor)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))

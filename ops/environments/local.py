"""Environments that are libSQL files in a folder; the main one is where the settings say.

A fork is a copy of the file and its write-ahead log, taken while nobody writes. The copying happens in a
process of its own: closing a second descriptor of a file ends this process's locks on it (POSIX).
"""

import builtins
import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler, DatabaseError, OperationalError

from . import base
from .base import NAME, Environment, EnvironmentProblem, NameTaken, NotConfigured, ProviderFailed

_WAL = "-wal"
_COMPANIONS = (_WAL, "-shm")
_FROZEN = ".frozen"  # the engine looks for it beside the file, and says its text to whoever writes
_SPARE = 50_000_000  # bytes to be left free on the disk
_BEGUN = ".new-"  # how the names of files begin that are not complete yet
# Source and target, in pairs; the targets must not exist.
_COPY = """
import os, shutil, sys
for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
    made = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(source, "rb") as old, os.fdopen(made, "wb") as new:
        shutil.copyfileobj(old, new, 1 << 20)
        new.flush()
        os.fsync(new.fileno())
"""


class Provider(base.Provider):
    """``main`` is the file of the environment `main_name`; all others are in ``folder``. ``entry`` is the
    entry of ``DATABASES`` that opens one of them, whatever its NAME."""

    kind = "local"

    def __init__(
        self,
        *,
        main: Path,
        main_name: str,
        folder: Path,
        entry: Mapping[str, Any],
        current: str,
        protected: Collection[str] = (),
    ) -> None:
        super().__init__(current=current, protected=protected)
        self._main = main
        self._main_name = main_name
        self._folder = folder
        self._entry = dict(entry)

    @classmethod
    def from_settings(cls) -> Self:
        """The provider of the configured file. Raises ``NotConfigured`` for a database in memory."""
        entry = settings.DATABASES["default"]
        file, main = Path(str(entry["NAME"])), Path(settings.AFN_DATABASE_FILE)
        if str(file).startswith((":memory:", "file:")):
            raise NotConfigured("AFN_DATABASE_FILE: expected a file, since environments are copies of it.")
        return cls(
            main=main,
            main_name=settings.AFN_MAIN_ENVIRONMENT,
            folder=Path(settings.AFN_ENVIRONMENTS_DIR),
            entry=entry,
            current=settings.AFN_MAIN_ENVIRONMENT if file == main else file.stem,
            protected=settings.AFN_PROTECTED_ENVIRONMENTS,
        )

    def database(self, name: str) -> dict[str, Any]:
        return {**self._entry, "NAME": str(self._existing(name))}

    def backup(self, name: str, folder: Path) -> str:
        """A file that replaces the environment's own, while nobody has it open, to go back to it."""
        source = self._existing(name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = folder / f"{name}-{datetime.now(UTC):%Y%m%d%H%M%S}.db"
        self._copy(source, target)
        return str(target)

    def _list(self) -> builtins.list[Environment]:
        found = {path.stem: path for path in self._folder.glob("*.db") if _is_ours(path)}
        if self._main.exists():
            found[self._main_name] = self._main
        return [self._environment(name, path) for name, path in found.items()]

    def _environment(self, name: str, path: Path) -> Environment:
        notes = self._notes(name)
        created = notes.get("created_at")
        return Environment(
            name=name,
            address=str(path),
            is_current=name == self.current,
            is_protected=name in self.protected,
            frozen=_read(Path(f"{path}{_FROZEN}")),
            parent=notes.get("parent", ""),
            created_at=datetime.fromisoformat(created) if created else None,
            size=sum(_size(Path(f"{path}{ending}")) for ending in ("", _WAL)),
        )

    def _create(self, name: str) -> None:
        with self._changing():
            self._note(name, parent="")
            with _begun(self._folder / f"{name}.db") as file, self._opened(file) as connection:
                connection.ensure_connection()

    def _fork(self, source: str, name: str) -> None:
        with self._changing():
            self._note(name, parent=source)
            self._copy(self._existing(source), self._folder / f"{name}.db")

    def _delete(self, name: str) -> None:
        path = self._existing(name)
        with self._changing():
            self._check_unused(name, path)
            path.unlink()
            for ending in (*_COMPANIONS, _FROZEN):
                Path(f"{path}{ending}").unlink(missing_ok=True)
            self._note_file(name).unlink(missing_ok=True)

    def _freeze(self, name: str, reason: str) -> None:
        _write(Path(f"{self._existing(name)}{_FROZEN}"), reason)

    def _unfreeze(self, name: str) -> None:
        Path(f"{self._existing(name)}{_FROZEN}").unlink(missing_ok=True)

    def _existing(self, name: str) -> Path:
        return Path(self.get(name).address)

    def _copy(self, source: Path, target: Path) -> None:
        """A copy of the file as it is at one moment, complete in itself; writers wait meanwhile."""
        needed = _size(source) + _size(Path(f"{source}{_WAL}")) + _SPARE
        free = shutil.disk_usage(target.parent).free
        if free < needed:
            raise ProviderFailed(
                f"A copy needs {needed:,} bytes on the disk of {target.parent}, {free:,} are free."
            )
        try:
            with _begun(target) as copy:
                with self._opened(source) as connection:
                    cursor = connection.cursor()
                    cursor.execute("BEGIN IMMEDIATE")
                    try:
                        _copy_files(source, copy)
                    finally:
                        cursor.execute("ROLLBACK")
                with self._opened(copy) as connection:
                    _settle(connection)
        except DatabaseError as error:
            raise ProviderFailed(f"{source.name} cannot be copied: {error}") from error

    def _note(self, name: str, *, parent: str) -> None:
        """Written before the file, without which it says nothing."""
        created = datetime.now(UTC).isoformat(timespec="seconds")
        _write(self._note_file(name), json.dumps({"parent": parent, "created_at": created}))

    def _check_unused(self, name: str, path: Path) -> None:
        """Leaving the write-ahead log needs the file for oneself alone."""
        try:
            with self._opened(path, timeout=0.5) as connection:
                connection.cursor().execute("PRAGMA journal_mode = DELETE")
        except OperationalError as error:
            raise EnvironmentProblem(
                f"{name!r} is in use by another process ({error}). End it first, then delete."
            ) from error
        except DatabaseError:
            return  # damaged, or of another key: nobody can be working with it

    def _note_file(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _notes(self, name: str) -> dict[str, str]:
        try:
            notes: dict[str, str] = json.loads(_read(self._note_file(name)) or "{}")
        except ValueError:
            return {}
        return notes

    @contextmanager
    def _opened(self, path: Path, *, timeout: float | None = None) -> Iterator[BaseDatabaseWrapper]:
        entry = {**self._entry, "NAME": str(path)}
        if timeout is not None:
            entry["OPTIONS"] = {**entry.get("OPTIONS", {}), "timeout": timeout}
        connection = ConnectionHandler({"default": entry})["default"]
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One change of the folder at a time, by whichever process."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise NotConfigured(
                f"AFN_ENVIRONMENTS_DIR: expected a folder that can be written, got {self._folder}: "
                f"{error.strerror}."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


@contextmanager
def _begun(target: Path) -> Iterator[Path]:
    """A file to fill in the block; it is there under the name of `target` only when that went well."""
    for left in target.parent.glob(f"{_BEGUN}*"):  # of an attempt that was interrupted
        left.unlink()
    begun = target.with_name(f"{_BEGUN}{secrets.token_hex(4)}.db")
    try:
        yield begun
        os.link(begun, target)
    except FileExistsError as error:
        raise NameTaken(f"{target.name} appeared in its folder just now.") from error
    finally:
        for ending in ("", *_COMPANIONS):
            Path(f"{begun}{ending}").unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    return bool(NAME.fullmatch(path.stem)) and path.is_file() and not path.is_symlink()


def _copy_files(source: Path, target: Path) -> None:
    pairs = [(source, target)]
    if Path(f"{source}{_WAL}").exists():
        pairs.append((Path(f"{source}{_WAL}"), Path(f"{target}{_WAL}")))
    arguments = [str(path) for pair in pairs for path in pair]
    done = subprocess.run(  # noqa: S603 - no shell, and paths of checked names
        [sys.executable, "-I", "-c", _COPY, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise ProviderFailed(f"{source.name} cannot be copied: {reason}")


def _settle(connection: BaseDatabaseWrapper) -> None:
    """Take the log into the file, and look whether the copy is whole."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    cursor.execute("PRAGMA quick_check(1)")
    if (answer := cursor.fetchall()) != [("ok",)]:
        raise ProviderFailed(f"The copy is damaged, and so is what was copied: {answer[0][0]}")


def _write(file: Path, text: str) -> None:
    """In one step, readable by its owner."""
    new = file.with_name(f"{_BEGUN}{secrets.token_hex(4)}")
    try:
        with os.fdopen(
            os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8"
        ) as out:
            out.write(text)
        new.replace(file)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise ProviderFailed(f"{file} cannot be written: {error.strerror}.") from error


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

"""Environments that are libSQL files in a folder; the main one is where the settings say.

A fork is a copy of the file and its write-ahead log, taken from within a transaction that reads. Where an
environment comes from is in a file beside it (``feature-x.json``), and so is why it is frozen
(``feature-x.db.frozen``).
"""

import builtins
import fcntl
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler, DatabaseError, OperationalError

from . import base
from .base import (
    NAME,
    Environment,
    EnvironmentProblem,
    NameTaken,
    NotConfigured,
    ProviderFailed,
)
from .local_files import COMPANIONS, begun, copy_database, link_or_copy, read, size, write
from .local_swap import FROZEN as _FROZEN
from .local_swap import WAIT, put_in_place

_SPARE = 50_000_000  # bytes to be left free on the disk


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
        options = {**self._entry.get("OPTIONS", {}), "must_exist": name != self._main_name}
        return {**self._entry, "NAME": str(self._existing(name)), "OPTIONS": options}

    def capture(self, name: str, file: Path) -> None:
        self._copy(self._existing(name), file)

    def file_database(self, file: Path) -> dict[str, Any]:
        return {**self._entry, "NAME": str(file)}

    def _list(self) -> builtins.list[Environment]:
        names = {path.stem for path in self._folder.glob("*.db")} | {self._main_name}
        paths = {name: self._path(name) for name in names if NAME.fullmatch(name)}
        return [self._environment(name, path) for name, path in paths.items() if self._is_file(path)]

    def _environment(self, name: str, path: Path) -> Environment:
        parent, created_at = self._notes(name)
        return Environment(
            name=name,
            address=str(path),
            is_current=name == self.current,
            is_protected=name in self.protected,
            frozen=read(Path(f"{path}{_FROZEN}")),
            parent=parent,
            created_at=created_at,
            size=size(path),
        )

    def _create(self, name: str) -> None:
        with self._changing():
            path = self._claim(name, parent="")
            try:
                with begun(path) as file, self._opened(file) as connection:
                    connection.ensure_connection()
            except DatabaseError as error:
                raise ProviderFailed(f"{path} cannot be made: {error}") from error

    def _fork(self, source: str, name: str) -> None:
        with self._changing():
            self._copy(self._existing(source), self._claim(name, parent=source))

    def _load(self, name: str, file: Path) -> None:
        with self._changing(), begun(self._claim(name, parent="")) as new:
            link_or_copy(file, new)

    def _replace(self, name: str, source: str, kept: str) -> str:
        with self._changing():
            new = self._existing(source)
            self._check_unused(source, new)
            target = self._claim(kept, parent=name)
            where = put_in_place(self._path(name), new, target, lambda path: self._opened(path, timeout=WAIT))
            self._forget(source)
            if where == target:
                # Whoever had it open may go on reading it for a moment.
                write(Path(f"{target}{_FROZEN}"), f"kept as {name} was before it was replaced")
                return f"the environment {kept}"
            self._forget(kept)
            return f"the file {where}" if where else ""

    def _delete(self, name: str) -> None:
        with self._changing():
            path = self._existing(name)  # another process may have deleted it meanwhile
            self._check_unused(name, path)
            try:
                path.unlink()
                self._forget(name)
            except OSError as error:
                raise ProviderFailed(f"{path} cannot be deleted: {error.strerror}.") from error

    def _freeze(self, name: str, reason: str) -> None:
        with self._changing():
            write(Path(f"{self._existing(name)}{_FROZEN}"), reason)

    def _unfreeze(self, name: str) -> None:
        with self._changing():
            file = Path(f"{self._existing(name)}{_FROZEN}")
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise ProviderFailed(f"{file} cannot be deleted: {error.strerror}.") from error

    def _path(self, name: str) -> Path:
        return self._main if name == self._main_name else self._folder / f"{name}.db"

    def _is_file(self, path: Path) -> bool:
        """A link in the folder could lead anywhere; where the main file is, its operator says."""
        return path.is_file() and (path == self._main or not path.is_symlink())

    def _existing(self, name: str) -> Path:
        return Path(self.get(name).address)

    def _copy(self, source: Path, target: Path) -> None:
        """A copy of the file as it is at one moment, complete in itself, while others go on writing."""
        needed = size(source) + _SPARE
        free = shutil.disk_usage(target.parent).free
        if free < needed:
            raise ProviderFailed(
                f"A copy needs {needed:,} bytes on the disk of {target.parent}, {free:,} are free."
            )
        try:
            with begun(target) as copy:
                with self._opened(source) as connection:
                    cursor = connection.cursor()
                    cursor.execute("BEGIN")
                    try:
                        cursor.execute("SELECT count(*) FROM sqlite_master")  # it begins with the first read
                        copy_database(source, copy)
                    finally:
                        cursor.execute("ROLLBACK")
                with self._opened(copy) as connection:
                    _settle(connection)
        except DatabaseError as error:
            raise ProviderFailed(f"{source.name} cannot be copied: {error}") from error

    def _claim(self, name: str, *, parent: str) -> Path:
        """Where the database will be. What is noted before it is there says nothing if it never is."""
        path = self._path(name)
        if os.path.lexists(path):  # no environment, or made by another process since it was looked for
            raise NameTaken(f"There is a file {path} already. Choose another name.")
        self._forget(name)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        write(self._note_file(name), json.dumps({"parent": parent, "created_at": created}))
        return path

    def _forget(self, name: str) -> None:
        """All that is beside the database. A log that is left over would become part of the next one."""
        for ending in (*COMPANIONS, _FROZEN):
            Path(f"{self._path(name)}{ending}").unlink(missing_ok=True)
        self._note_file(name).unlink(missing_ok=True)

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

    def _notes(self, name: str) -> tuple[str, datetime | None]:
        """The parent, and when it was made; the main one has neither."""
        try:
            notes = json.loads(read(self._note_file(name)))
            return str(notes["parent"]), datetime.fromisoformat(notes["created_at"])
        except (ValueError, TypeError, KeyError):
            return "", None

    @contextmanager
    def _opened(self, path: Path, *, timeout: float | None = None) -> Iterator[BaseDatabaseWrapper]:
        options = {**self._entry.get("OPTIONS", {}), "must_exist": False}
        if timeout is not None:
            options["timeout"] = timeout
        entry = {**self._entry, "NAME": str(path), "OPTIONS": options}
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


def _settle(connection: BaseDatabaseWrapper) -> None:
    """Take the log into the file, and look whether the copy is whole."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    cursor.execute("PRAGMA quick_check(1)")
    if (answer := cursor.fetchall()) != [("ok",)]:
        raise ProviderFailed(
            f"The copy is damaged, and so is what was copied: {answer[0][0]}. `manage.py doctor` says more, "
            "`manage.py restore_database FILE` brings back the newest backup."
        )

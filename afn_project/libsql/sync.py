"""Keeping a copy of a server's database in a file: one process copies, any number read.

The binding's embedded replica does the copying; readers open the file with ``mode=ro``, so that none of them
checkpoints it. Several processes that copy into one file corrupt it, so that a lock admits one. Nothing is
ever written through the copy: the binding's own delegation of writes loses vector indexes and connections.
"""

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from sqlite3 import OperationalError
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from .dsn import Target
from .errors import error_from_text
from .local import load_binding

# Of the binding, for a file that an interrupted first copy left behind.
_HALF_MADE = "Can not sync a database without a wal_index"
STALE = 30.0  # seconds without a finished synchronisation after which a copy is not current any more


class AlreadySyncing(OperationalError):
    """Another process keeps this copy up to date."""


@dataclass(frozen=True)
class SyncStatus:
    """When the newest synchronisation that succeeded began and ended, in Unix seconds, and who did it.

    All that the primary had committed at `began` is in the file.
    """

    began: float
    ended: float
    process: int

    @property
    def lag(self) -> float:
        """Seconds by which the copy may be behind now."""
        return max(0.0, time.time() - self.began)


class Syncer:
    """Copies into one file; a context manager that holds the lock. Raises ``AlreadySyncing``."""

    def __init__(self, file: Path, primary: Target, auth_token: str) -> None:
        self.file = file
        self._url = sync_url(primary)
        self._token = auth_token
        self._connection: Any = None
        self._lock = -1

    def __enter__(self) -> Self:
        # Its log goes to stdout, where programs read our JSON.
        os.environ.setdefault("RUST_LOG", "off")
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(f"{self.file}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise AlreadySyncing(
                f"Another process keeps {self.file.name} up to date already; one for each file is enough."
            ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._disconnect()
        os.close(self._lock)

    def sync(self) -> SyncStatus:
        """Bring the file up to date. Raises ``OperationalError``; the copy is then as it was."""
        began = time.time()
        try:
            self._connect()
            self._connection.sync()
        except BaseException as error:
            self._disconnect()
            if not isinstance(error, ValueError) and type(error).__name__ != "PanicException":
                raise
            text = _without(self._token, str(error))
            if _HALF_MADE in text:
                self._remove()
                return self.sync()
            raise error_from_text(text) from None
        status = SyncStatus(began, time.time(), os.getpid())
        self._write(status)
        return status

    def _connect(self) -> None:
        if self._connection is None:
            mask = os.umask(0o077)
            try:
                self._connection = load_binding().connect(
                    str(self.file), sync_url=self._url, auth_token=self._token
                )
            finally:
                os.umask(mask)

    def _remove(self) -> None:
        """Begin anew: it is only a copy, and its readers notice that the file is another one."""
        for path in self.file.parent.glob(f"{self.file.name}*"):
            if path.name != f"{self.file.name}.lock":
                path.unlink()

    def _write(self, status: SyncStatus) -> None:
        """In one step: a reader sees the old status or the new."""
        new = Path(f"{status_file(self.file)}.new")
        new.write_text(json.dumps(asdict(status)), encoding="utf-8")
        new.replace(status_file(self.file))

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(ValueError):
                connection.close()


def status_file(file: Path) -> Path:
    return Path(f"{file}.status")


def read_status(file: Path) -> SyncStatus | None:
    """How current a copy is; None where it was never made."""
    try:
        return SyncStatus(**json.loads(status_file(file).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def is_current(file: Path) -> bool:
    """Whether somebody keeps the copy up to date. Cheap enough to ask before each read."""
    try:
        return time.time() - status_file(file).stat().st_mtime < STALE
    except OSError:
        return False


def identity(file: Path) -> int | None:
    """The number of the file: another one where the copy was removed and made anew."""
    try:
        return file.stat().st_ino
    except OSError:
        return None


def sync_url(primary: Target) -> str:
    """The address that the binding copies from. It cannot be told a namespace, but a host's name can be one.

    Raises ``OperationalError`` where that name cannot be made.
    """
    if not primary.namespace:
        return primary.url
    parts = urlsplit(primary.url)
    host = parts.hostname or ""
    if host.replace(".", "").isdigit() or ":" in host:
        raise OperationalError(
            f"A copy of the namespace {primary.namespace} needs a server with a name, so that "
            f"{primary.namespace}.name leads there; {host} is a number."
        )
    if host.startswith(f"{primary.namespace}."):
        return primary.url
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{primary.namespace}.{host}{port}"


def _without(secret: str, text: str) -> str:
    return text.replace(secret, "***") if secret else text

"""Reading from a copy of the database: another server that follows the primary, or a file on this machine.

A copy may be some milliseconds behind, and it may be gone. So it is read only where the caller says so (by
using its alias), it is never written, and while it cannot be read the primary answers in its stead.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from sqlite3 import OperationalError

from .driver import NOTHING, Driver, Result, SqlValue
from .errors import (
    ConnectionLost,
    NamespaceNotFound,
    ServerUnreachable,
    TooManyConnections,
    error_from_text,
)
from .statements import TRANSACTION, first_word, only_reads

logger = logging.getLogger(__name__)

REST = 5.0  # seconds for which a copy that could not be read is left alone
_OUT_OF_REACH = (ServerUnreachable, ConnectionLost, NamespaceNotFound, TooManyConnections)
_failed_at: dict[str, float] = {}  # by the copy's name, for all connections of this process


class _CopyFailed(Exception):
    """The copy cannot be read at the moment, for a reason that the primary need not have."""


@dataclass(frozen=True)
class Copy:
    """How a copy is read. ``name``: what the log calls it. ``open``: makes a connection to it.

    ``is_current``: whether somebody keeps it up to date. ``identity``: changes when it was made anew, so that
    open connections lead to something that is no longer there. Both are asked before each read.
    """

    name: str
    open: Callable[[], Driver]
    is_current: Callable[[], bool] = lambda: True
    identity: Callable[[], object] = lambda: None


class ReplicaDriver:
    """Reads from a copy, else from `primary`. A copy that is not current is read where the primary cannot be.

    There are no transactions: BEGIN, COMMIT and their like do nothing, and each statement sees the newest
    state that the copy has.
    """

    in_transaction = False

    def __init__(self, copy: Copy, primary: Driver) -> None:
        self._copy = copy
        self._opened: Driver | None = None
        self._identity: object = None
        self._primary = primary

    @property
    def timeout(self) -> float:
        return self._primary.timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._primary.timeout = seconds

    def execute(self, sql: str, parameters: Sequence[SqlValue] = ()) -> Result:
        if first_word(sql) in TRANSACTION:
            return NOTHING
        if not only_reads(sql):
            raise error_from_text(
                "attempt to write a readonly database: this connection reads a copy. Write to the primary."
            )
        if self._can_be_read() and self._copy.is_current():
            with suppress(_CopyFailed):
                return self._read_copy(sql, parameters)
        try:
            return self._primary.execute(sql, parameters)
        except _OUT_OF_REACH as error:
            lost = error
        # Old is better than nothing. It is asked again if it failed just now: a copy whose server loses the
        # primary leaves one question without an answer, and answers the next.
        try:
            return self._read_copy(sql, parameters)
        except _CopyFailed:
            raise lost from None

    def execute_many(self, sql: str, rows: Sequence[Sequence[SqlValue]]) -> int:
        for row in rows:
            self.execute(sql, row)
        return 0

    def script(self, sql: str) -> None:
        self.execute("INSERT")  # refused: a script is there to change something

    def close(self) -> None:
        self._close_copy()
        self._primary.close()

    def _can_be_read(self) -> bool:
        failed_at = _failed_at.get(self._copy.name)
        return failed_at is None or time.monotonic() - failed_at > REST

    def _read_copy(self, sql: str, parameters: Sequence[SqlValue]) -> Result:
        """Raises ``_CopyFailed`` where the primary should be asked."""
        try:
            result = self._open_copy().execute(sql, parameters)
        except OperationalError as error:
            # A copy that is being made lacks tables; what else is wrong with the SQL, the primary says too.
            if not isinstance(error, _OUT_OF_REACH) and not _is_unfinished(error):
                raise
            if self._copy.name not in _failed_at:
                logger.warning("The copy %s cannot be read, the primary answers: %s", self._copy.name, error)
            _failed_at[self._copy.name] = time.monotonic()
            self._close_copy()
            raise _CopyFailed from error
        if _failed_at.pop(self._copy.name, None) is not None:
            logger.warning("The copy %s can be read again.", self._copy.name)
        return result

    def _open_copy(self) -> Driver:
        identity = self._copy.identity()
        if self._opened is not None and identity != self._identity:
            self._close_copy()
        if self._opened is None:
            self._opened, self._identity = self._copy.open(), identity
        return self._opened

    def _close_copy(self) -> None:
        if self._opened is not None:
            opened, self._opened = self._opened, None
            opened.close()


def _is_unfinished(error: OperationalError) -> bool:
    name = getattr(error, "sqlite_errorname", "")
    return name in ("SQLITE_CANTOPEN", "SQLITE_BUSY") or "no such table" in str(error)

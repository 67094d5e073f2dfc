"""The transport to a local libSQL file: the ``libsql`` binding, with its traps fenced.

What is fenced, all measured on libsql 0.1.8 (engine 3.45.1):

* The binding keeps the GIL during a query, and its own lock wait then deadlocks threads: it is opened
  with ``timeout=0`` and the wait for a lock is done here, in Python, where sleeping releases the GIL.
* Integers of 2³¹ and more are bound as REAL (2⁵³+1 loses its last bit): they travel as SQL literals.
* Missing parameters become NULL and surplus ones vanish: they are counted.
* Text is read back only up to its first NUL: text with NUL is refused before it is written.
* ``fetchone`` past the end starts again and an unfetched row keeps the statement open: every result
  is fetched whole, from a cursor of its own.
* A failure inside Rust surfaces as ``PanicException``, a ``BaseException`` that would kill a worker.

A file may be replaced under its name while connections are open, as a restore does: what one of them writes
then would be lost without a word. So a write counts only if the file is the same one afterwards.
"""

import os
import random
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from sqlite3 import NotSupportedError, OperationalError
from typing import Any, TypeVar

from .driver import INT64_LIMIT, Result, SqlValue
from .errors import INVALID_TEXT, FileReplaced, WritesBlocked, error_from_text, is_busy
from .statements import TOKEN, check_count, first_word, only_reads, prepared

T = TypeVar("T")

_INT32_LIMIT = 2**31
_FIRST_WAIT, _LONGEST_WAIT = 0.0005, 0.05  # seconds between two tries for a lock

FROZEN = ".frozen"  # ending of the file that freezes a database; its text is the reason
# They write nothing themselves, and are needed to go on reading.
_CONTROL = ("BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA")
_NEVER_COMMIT = ("SELECT", "VALUES", "PRAGMA", "EXPLAIN", "BEGIN", "ROLLBACK", "SAVEPOINT")
_VACUUM_INTO = re.compile(r"\s*VACUUM\b.*\bINTO\b", re.IGNORECASE | re.DOTALL)


class LocalDriver:
    """One connection to a libSQL file (or in-memory database) through the binding.

    ``path``: a file name, ``:memory:`` or a SQLite URI. ``timeout``: seconds to wait for another
    connection's lock before ``OperationalError("database is locked")``. ``encryption_key``: the pass
    phrase of an encrypted file, empty for none. ``must_exist``: do not make a file that is not there.
    """

    def __init__(
        self, path: str, *, timeout: float = 5.0, encryption_key: str = "", must_exist: bool = False
    ) -> None:
        self.timeout = timeout
        if must_exist and not Path(path).is_file():
            raise OperationalError(f"unable to open database file: there is no {path} any more.")
        self._is_encrypted = bool(encryption_key)
        is_file = path and path != ":memory:" and not path.startswith("file:")
        self._notice = f"{path}{FROZEN}" if is_file else ""
        connect = load_binding().connect
        options = {"encryption_key": str.__str__(encryption_key)} if encryption_key else {}
        make_private(path)
        self._path = path if is_file else ""
        self._file = identity(path) if is_file else None
        self._connection = self._call(lambda: connect(path, isolation_level=None, timeout=0.0, **options))

    @property
    def in_transaction(self) -> bool:
        return bool(self._connection.in_transaction)

    def execute(self, sql: str, parameters: Sequence[SqlValue] = ()) -> Result:
        """Run one statement with positional (``?``) parameters of SQLite's five types."""
        sql, expected = prepared(sql)
        check_count(expected, parameters)
        if not sql:
            return Result([], [], -1, None)
        if self._is_encrypted and _VACUUM_INTO.match(sql):
            raise NotSupportedError("VACUUM INTO would write a copy of the encrypted database in plain text.")
        self._check_frozen(sql)
        for value in parameters:
            if type(value) is int and not -_INT32_LIMIT <= value < _INT32_LIMIT:
                sql, parameters = _inline_large_integers(sql, parameters)
                break
        result = self._call(lambda: self._execute_once(sql, tuple(parameters)))
        if first_word(sql) not in _NEVER_COMMIT and not self._connection.in_transaction:
            self._check_same_file()
        return result

    def execute_many(self, sql: str, rows: Sequence[Sequence[SqlValue]]) -> int:
        changed = 0
        for row in rows:
            result = self.execute(sql, row)
            changed += len(result.rows) if result.columns else result.changed
        return changed

    def script(self, sql: str) -> None:
        """Run several statements separated by semicolons, without parameters."""
        self._check_frozen("INSERT")
        cursor = self._connection.cursor()
        try:
            self._call(lambda: cursor.executescript(sql))
        finally:
            cursor.close()
        self._check_same_file()

    def close(self) -> None:
        """Roll back what is open, then close. The binding must not be called afterwards: it panics."""
        if self.in_transaction:
            self.execute("ROLLBACK")
        self._connection.close()

    def _check_frozen(self, sql: str) -> None:
        """Refuse to write while there is a file with the reason beside the database."""
        if self._notice and first_word(sql) not in _CONTROL and not only_reads(sql):
            with suppress(FileNotFoundError):
                raise WritesBlocked(Path(self._notice).read_text(encoding="utf-8").strip())

    def _check_same_file(self) -> None:
        """After a commit: one into a file that has no name any more is none."""
        if self._path and identity(self._path) != self._file:
            raise FileReplaced(
                "The database file was replaced meanwhile, as by a restore: this is not in the new one. "
                "Run it again."
            )

    def _execute_once(self, sql: str, parameters: tuple[SqlValue, ...]) -> Result:
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql, parameters)
            description = cursor.description
            rows = cursor.fetchall() if description else []
            return Result(
                [column[0] for column in description or ()], rows, cursor.rowcount, cursor.lastrowid
            )
        finally:
            cursor.close()

    def _call(self, function: Callable[[], T]) -> T:
        """Call the binding: wait for locks, give every failure its PEP 249 class."""
        deadline: float | None = None
        wait = _FIRST_WAIT
        while True:
            try:
                return function()
            except UnicodeEncodeError:
                raise
            except ValueError as error:
                text = str(error)
                now = time.monotonic()
                deadline = now + self.timeout if deadline is None else deadline
                if not is_busy(text) or now >= deadline:
                    raise error_from_text(text) from None
            except BaseException as error:
                if type(error).__name__ != "PanicException":
                    raise
                raise OperationalError(_explain_panic(str(error))) from None
            # Jitter, so that two processes which collided once do not go on colliding.
            time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311
            wait = min(wait * 1.6, _LONGEST_WAIT)


def identity(path: str) -> tuple[int, int] | None:
    """What tells the file of this name from another one; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def make_private(path: str) -> None:
    """Create a database file that does not exist yet so that only its owner can read it."""
    if path and path != ":memory:" and not path.startswith("file:"):
        with suppress(OSError):  # it exists, or the binding will say why it cannot
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def load_binding() -> Any:
    try:
        import libsql
    except ImportError as error:
        raise OperationalError(
            "Local libSQL files need the 'libsql' package, which has wheels for Python 3.11 to 3.13 on "
            "Linux x86-64, macOS and Windows. Install it (pip install libsql==0.1.8), or use a libSQL server."
        ) from error
    return libsql


def _inline_large_integers(sql: str, parameters: Sequence[SqlValue]) -> tuple[str, list[SqlValue]]:
    """Write integers that need more than 32 bits into the SQL, since the binding would round them."""
    values = iter(parameters)
    bound: list[SqlValue] = []

    def replace(match: re.Match[str]) -> str:
        if match[0] != "?":
            return match[0]
        value = next(values)
        if type(value) is int and not -_INT32_LIMIT <= value < _INT32_LIMIT:
            # The smallest integer has no literal: its absolute value does not fit.
            return f"({value})" if value > -INT64_LIMIT else f"({value + 1} - 1)"
        bound.append(value)
        return "?"

    return TOKEN.sub(replace, sql), bound


def _explain_panic(text: str) -> str:
    if "Utf8Error" in text:
        return INVALID_TEXT
    return f"libSQL failed inside its driver: {text}"

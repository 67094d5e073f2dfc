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
"""

import os
import random
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from sqlite3 import DataError, NotSupportedError, OperationalError, ProgrammingError
from typing import Any, NamedTuple, TypeVar

from .errors import error_from_text, is_busy

T = TypeVar("T")
SqlValue = None | int | float | str | bytes
Row = tuple[SqlValue, ...]

_INT32_LIMIT = 2**31
_INT64_LIMIT = 2**63
_FIRST_WAIT, _LONGEST_WAIT = 0.0005, 0.05  # seconds between two tries for a lock

# Everything in which a question mark is not a parameter, then the parameter itself and the semicolon.
_TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\]
    | --[^\n]* | /\*.*?(?:\*/|\Z) | \? | ;""",
    re.VERBOSE | re.DOTALL,
)
_NAME = r"""(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|\w+)"""
_DELETE_ALL = re.compile(rf"DELETE\s+FROM\s*{_NAME}(?:\s*\.\s*{_NAME})?(?:\s+AS\s+{_NAME})?", re.IGNORECASE)


_VACUUM_INTO = re.compile(r"\s*VACUUM\b.*\bINTO\b", re.IGNORECASE | re.DOTALL)


class Result(NamedTuple):
    """What one statement gave: column names, all rows, rows changed, last inserted rowid."""

    columns: list[str]
    rows: list[Row]
    changed: int
    lastrowid: int | None


class LocalDriver:
    """One connection to a libSQL file (or in-memory database) through the binding.

    ``path``: a file name, ``:memory:`` or a SQLite URI. ``timeout``: seconds to wait for another
    connection's lock before ``OperationalError("database is locked")``. ``encryption_key``: the pass
    phrase of an encrypted file, empty for none.
    """

    def __init__(self, path: str, *, timeout: float = 5.0, encryption_key: str = "") -> None:
        self.timeout = timeout
        self._is_encrypted = bool(encryption_key)
        connect = _binding().connect
        options = {"encryption_key": str.__str__(encryption_key)} if encryption_key else {}
        _make_private(path)
        self._connection = self._call(lambda: connect(path, isolation_level=None, timeout=0.0, **options))

    @property
    def in_transaction(self) -> bool:
        return bool(self._connection.in_transaction)

    def execute(self, sql: str, parameters: Sequence[SqlValue] = ()) -> Result:
        """Run one statement with positional (``?``) parameters of SQLite's five types."""
        sql, expected = _prepared(sql)
        if len(parameters) != expected:
            # The binding takes any number: what is missing becomes NULL, what is too much is dropped.
            raise ProgrammingError(
                f"Incorrect number of bindings supplied: the statement has {expected} parameters, "
                f"got {len(parameters)} values."
            )
        if not sql:
            return Result([], [], -1, None)
        if self._is_encrypted and _VACUUM_INTO.match(sql):
            raise NotSupportedError("VACUUM INTO would write a copy of the encrypted database in plain text.")
        for value in parameters:
            if type(value) is int and not -_INT32_LIMIT <= value < _INT32_LIMIT:
                sql, parameters = _inline_large_integers(sql, parameters)
                break
        return self._call(lambda: self._execute_once(sql, tuple(parameters)))

    def script(self, sql: str) -> None:
        """Run several statements separated by semicolons, without parameters."""
        cursor = self._connection.cursor()
        try:
            self._call(lambda: cursor.executescript(sql))
        finally:
            cursor.close()

    def close(self) -> None:
        """Roll back what is open, then close. The binding must not be called afterwards: it panics."""
        if self.in_transaction:
            self.execute("ROLLBACK")
        self._connection.close()

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


def to_sql_value(value: Any) -> SqlValue:
    """Check one value of SQLite's own types; what the binding would spoil silently is refused here.

    Raises ``OverflowError`` beyond 64 bits, ``DataError`` for text with NUL, ``UnicodeEncodeError``
    for lone surrogates and ``ProgrammingError`` for any other type.
    """
    if isinstance(value, str):
        if "\0" in value:
            raise DataError(
                f"Text with a NUL character (at position {value.index(chr(0))}) cannot be stored: "
                "libSQL would cut it off there when it is read. Remove the character, or store bytes."
            )
        value.encode()  # lone surrogates raise here, as in the sqlite3 module
        return str.__str__(value)
    if value is None or isinstance(value, float | bytes):
        return value
    if isinstance(value, int):
        if not -_INT64_LIMIT <= value < _INT64_LIMIT:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        return int(value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    raise ProgrammingError(f"Error binding parameter: type {type(value).__name__!r} is not supported")


def _make_private(path: str) -> None:
    """Create a database file that does not exist yet so that only its owner can read it."""
    if path and path != ":memory:" and not path.startswith("file:"):
        with suppress(OSError):  # it exists, or the binding will say why it cannot
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _binding() -> Any:
    try:
        import libsql
    except ImportError as error:
        raise OperationalError(
            "Local libSQL files need the 'libsql' package, which has wheels for Python 3.11 to 3.13 on "
            "Linux x86-64, macOS and Windows. Install it (pip install libsql==0.1.8), or use a libSQL server."
        ) from error
    return libsql


@lru_cache(maxsize=1024)
def _prepared(sql: str) -> tuple[str, int]:
    """One statement as the binding may have it (nothing if it is all comments), and its number of parameters.

    Raises ``ProgrammingError`` for two statements: the binding would run the first and drop the rest.
    """
    count = 0
    for token in _TOKEN.finditer(sql):
        count += token[0] == "?"
        if token[0] == ";" and sqlite3.complete_statement(sql[: token.end()]) and _bare(sql[token.end() :]):
            raise ProgrammingError("You can only execute one statement at a time.")
    bare = _bare(sql)
    if _DELETE_ALL.fullmatch(bare):
        # Without WHERE, libSQL empties the table but leaves its rows in a vector index.
        return f"{bare} WHERE 1", count
    return sql if bare else "", count


def _bare(sql: str) -> str:
    """`sql` without comments and what is around it."""
    return _TOKEN.sub(lambda token: " " if token[0].startswith(("--", "/*")) else token[0], sql).strip(
        "; \t\r\n\f"
    )


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
            return f"({value})" if value > -_INT64_LIMIT else f"({value + 1} - 1)"
        bound.append(value)
        return "?"

    return _TOKEN.sub(replace, sql), bound


def _explain_panic(text: str) -> str:
    if "Utf8Error" in text:
        return (
            "A text value in the result is not valid UTF-8. Read it as bytes with CAST(column AS BLOB) "
            "to see and repair it."
        )
    return f"libSQL failed inside its driver: {text}"

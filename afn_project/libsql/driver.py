"""What a transport to libSQL is to the layers above, and the values that travel through it."""

from collections.abc import Sequence
from sqlite3 import DataError, ProgrammingError
from typing import Any, NamedTuple, Protocol

SqlValue = None | int | float | str | bytes
Row = tuple[SqlValue, ...]
INT64_LIMIT = 2**63


class Result(NamedTuple):
    """What one statement gave: column names, all rows, rows changed, last inserted rowid."""

    columns: list[str]
    rows: list[Row]
    changed: int
    lastrowid: int | None


NOTHING = Result([], [], -1, None)


class Driver(Protocol):
    """One connection. ``timeout``: seconds it waits, for a lock or for an answer.

    A result is fetched whole. Errors are those of :mod:`.errors` and of PEP 249.
    """

    timeout: float

    @property
    def in_transaction(self) -> bool: ...

    def execute(self, sql: str, parameters: Sequence[SqlValue] = ()) -> Result:
        """Run one statement with positional (``?``) parameters of SQLite's five types."""

    def execute_many(self, sql: str, rows: Sequence[Sequence[SqlValue]]) -> int:
        """Run one statement for each row; the sum of the rows changed. Outside a transaction, each is one."""

    def script(self, sql: str) -> None:
        """Run several statements separated by semicolons, without parameters."""

    def close(self) -> None:
        """Roll back what is open, and close."""


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
        if not -INT64_LIMIT <= value < INT64_LIMIT:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        return int(value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    raise ProgrammingError(f"Error binding parameter: type {type(value).__name__!r} is not supported")

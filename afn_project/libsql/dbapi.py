"""PEP 249 over a libSQL driver: what Django's SQLite backend expects of the :mod:`sqlite3` module."""

import datetime
import decimal
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from operator import length_hint
from sqlite3 import (
    PARSE_COLNAMES,
    PARSE_DECLTYPES,
    Binary,
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
)
from typing import Any, Self

from .driver import Driver, Result, Row, SqlValue, to_sql_value
from .dsn import parse_name
from .hrana import Endpoint
from .local import LocalDriver
from .pool import Limits, pool_of
from .remote import RemoteDriver
from .replica import Copy, ReplicaDriver
from .statements import first_word
from .sync import identity, is_current

__all__ = [
    "PARSE_COLNAMES",
    "PARSE_DECLTYPES",
    "Binary",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Warning",
    "connect",
    "connect_replica",
]

apilevel = "2.0"
paramstyle = "qmark"
threadsafety = 1
sqlite_version_info = (3, 45, 1)  # the SQLite that libSQL 0.9 (binding 0.1.x, sqld 0.24) is built on
sqlite_version = "3.45.1"

_DML = ("INSERT", "UPDATE", "DELETE", "REPLACE")
_AS_IS = frozenset((type(None), float, bytes))


def adapt(value: Any) -> SqlValue:
    """A Python value as one of SQLite's types, with the adapters that Django registers for sqlite3."""
    if type(value) in _AS_IS:
        return value  # type: ignore[no-any-return]
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return to_sql_value(value)


class Cursor:
    """A result, fetched whole when the statement ran (an open statement would hold its lock)."""

    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self.connection = connection
        self._columns: Sequence[str] = ()
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: Iterator[Row] = iter(())
        self._closed = False

    @property
    def description(self) -> tuple[tuple[Any, ...], ...] | None:
        """A name and six times None a column; None for a statement without any."""
        return tuple((name, *(None,) * 6) for name in self._columns) or None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        self._take(sql, self._run(sql, parameters))
        return self

    def executemany(self, sql: str, parameter_rows: Iterable[Sequence[Any]]) -> Self:
        """Run `sql` once for each row; ``rowcount`` is the sum. Outside a transaction each row is its own."""
        self._check_open()
        rows = [[adapt(value) for value in parameters] for parameters in parameter_rows]
        if rows:
            self.connection.begin_if_needed(sql)
        changed = self.connection.driver.execute_many(sql, rows)
        self._columns, self._rows, self.rowcount = (), iter(()), changed
        return self

    def executescript(self, script: str) -> Self:
        self._check_open()
        self.connection.commit()
        self.connection.driver.script(script)
        return self

    def fetchone(self) -> Row | None:
        self._check_open()
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[Row]:
        self._check_open()
        return list(islice(self._rows, size or self.arraysize))

    def fetchall(self) -> list[Row]:
        self._check_open()
        return list(self._rows)

    def __iter__(self) -> Iterator[Row]:
        self._check_open()
        return self._rows

    def __next__(self) -> Row:
        self._check_open()
        return next(self._rows)

    def __length_hint__(self) -> int:
        """How many rows are left to be fetched."""
        return length_hint(self._rows)

    def close(self) -> None:
        self._rows = iter(())
        self._closed = True

    def _run(self, sql: str, parameters: Sequence[Any]) -> Result:
        self._check_open()
        self.connection.begin_if_needed(sql)
        return self.connection.driver.execute(sql, [adapt(value) for value in parameters])

    def _take(self, sql: str, result: Result) -> None:
        verb = first_word(sql)
        self._columns = result.columns
        self._rows = iter(result.rows)
        if verb in _DML:
            # With RETURNING the binding miscounts, but every changed row is in the result.
            self.rowcount = len(result.rows) if result.columns else result.changed
        else:
            self.rowcount = -1
        if verb in ("INSERT", "REPLACE"):
            self.lastrowid = result.lastrowid

    def _check_open(self) -> None:
        if self._closed:
            raise ProgrammingError("Cannot operate on a closed cursor.")


class Connection:
    """A connection with the sqlite3 module's transaction control.

    ``isolation_level`` is None (autocommit: only explicit BEGIN opens a transaction) or the word after
    BEGIN ("", "IMMEDIATE", …) of the transaction that the next INSERT, UPDATE or DELETE opens.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver: Driver | None = driver
        self._isolation_level: str | None = None

    @property
    def driver(self) -> Driver:
        if self._driver is None:
            raise ProgrammingError("Cannot operate on a closed database.")
        return self._driver

    @property
    def isolation_level(self) -> str | None:
        return self._isolation_level

    @isolation_level.setter
    def isolation_level(self, level: str | None) -> None:
        if level is None and self._isolation_level is not None:
            self.commit()
        self._isolation_level = level

    @property
    def in_transaction(self) -> bool:
        return self.driver.in_transaction

    def begin_if_needed(self, sql: str) -> None:
        level = self._isolation_level
        if level is not None and first_word(sql) in _DML and not self.in_transaction:
            self.driver.execute(f"BEGIN {level}".strip())

    def cursor(self, factory: type[Cursor] = Cursor) -> Cursor:
        self.driver  # noqa: B018 - a closed connection gives no cursor
        return factory(self)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        return self.cursor().execute(sql, parameters)

    def commit(self) -> None:
        if self.in_transaction:
            self.driver.execute("COMMIT")

    def rollback(self) -> None:
        if self.in_transaction:
            self.driver.execute("ROLLBACK")

    def close(self) -> None:
        if self._driver is not None:
            driver, self._driver = self._driver, None
            driver.close()


def connect(database: str, **options: Any) -> Connection:
    """Open a local database (path, ``:memory:``, ``file:…``) or one on a server (``http(s)://``, ``libsql://``).

    `options` of a local one are those of :class:`~.local.LocalDriver`; of one on a server ``auth_token``,
    ``timeout``, and ``limits``, the :class:`~.pool.Limits` of the connections that this process makes.
    """
    return Connection(_driver(database, **options))


def connect_replica(database: str, primary: dict[str, Any], **options: Any) -> Connection:
    """Open a copy to read from, with the arguments of ``connect`` for the `primary` that stands in for it."""
    target = parse_name(database)
    open_copy = partial(_driver, database, **options)
    if target.is_remote:
        copy = Copy(target.name, open_copy)
    else:
        file = target.file
        copy = Copy(file.name, open_copy, partial(is_current, file), partial(identity, file))
    return Connection(ReplicaDriver(copy, _driver(**primary)))


def _driver(database: str, **options: Any) -> Driver:
    target = parse_name(database)
    if not target.is_remote:
        return LocalDriver(target.path, **options)
    endpoint = Endpoint.of(target, options.pop("auth_token", ""))
    return RemoteDriver(pool_of(endpoint, options.pop("limits", Limits())), **options)

"""All that is in one database to another, empty one, through nothing but SQL: how a file gets to a server.

A server takes a dump only where it can read it itself, and several of the PRAGMAs in one it refuses. The
tables of a full-text index are copied as they are, so that it is the same index; one of vectors is built
anew.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import DatabaseError, connections

from ops.snapshots import quote, read_columns, read_rows

from .base import ProviderFailed

_BATCH = 500
_BYTES = 1_000_000
_OWN = ("sqlite_", "libsql_")  # the engine makes its own tables
_VECTORS = "libsql_vector_idx"


def copy_rows(source: str, target: str, told: Callable[[int], None] = lambda rows: None) -> None:
    """From alias to alias. `told` hears how many rows were copied. Raises ``ProviderFailed``."""
    try:
        with connections[target].constraint_checks_disabled(), connections[target].cursor() as cursor:
            _copy(source, target, cursor, told)
    except DatabaseError as error:
        raise ProviderFailed(f"The rows cannot be copied to the new database: {error}") from error


def _copy(source: str, target: str, cursor: Any, told: Callable[[int], None]) -> None:
    catalogue = _fetch(
        source, "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    )
    # An index of vectors has a table of its own, which has an index again.
    built = {f"{name}_shadow" for kind, name, _, sql in catalogue if kind == "index" and _VECTORS in sql}
    wanted = [one for one in catalogue if one[2] not in built and not one[1].startswith(_OWN)]
    tables = {name: sql for kind, name, _, sql in wanted if kind == "table"}
    virtual = {name: sql for name, sql in tables.items() if sql.upper().startswith("CREATE VIRTUAL TABLE")}
    shadows = tuple(f"{name}_" for name in virtual)
    for sql in virtual.values():
        cursor.execute(sql.replace("%", "%%"), [])
    for name, sql in tables.items():
        if name in virtual:
            continue
        if name.startswith(shadows):
            cursor.execute(f"DELETE FROM {quote(target, name)} WHERE 1", [])  # noqa: S608 - a quoted name
        else:
            cursor.execute(sql.replace("%", "%%"), [])
        _copy_table(source, target, name, cursor, told)
    if _fetch(source, "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
        cursor.execute("DELETE FROM sqlite_sequence WHERE 1", [])
        _copy_table(source, target, "sqlite_sequence", cursor, told)
    for kind, _, _, sql in wanted:
        if kind != "table":
            cursor.execute(sql.replace("%", "%%"), [])


def _copy_table(source: str, target: str, table: str, cursor: Any, told: Callable[[int], None]) -> None:
    columns = read_columns(source, table)
    names = ", ".join(quote(target, column.name) for column in columns)
    places = ", ".join(["%s"] * len(columns))
    insert = f"INSERT INTO {quote(target, table)} ({names}) VALUES ({places})"  # noqa: S608 - quoted names
    rows = iter(read_rows(source, table, columns))
    for batch in _batches(rows):
        cursor.executemany(insert, batch)
        told(len(batch))


def _batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    """As many rows as a request to a server may well have."""
    batch: list[Any] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if len(batch) >= _BATCH or size >= _BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _fetch(alias: str, sql: str) -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, [])
        return cursor.fetchall()

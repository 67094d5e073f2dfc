"""What a database holds, small enough to compare: rows and a hash of every column, and nearest neighbours.

Only plain SQL and the database's own catalogue are used, no model: a snapshot can be taken before and after
a migration, and of databases that differ in their tables.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.db import OperationalError, connections

# What keeps changing by itself: migrations applied, Django's lists of models and permissions, the roles that
# follow them, the count of changes, which goes up with every migration, slow queries, such as those of a
# migration, the state of health, and alerts.
BOOKKEEPING = frozenset(
    (
        "alert_notifications",
        "alert_rules",
        "alerts",
        "auth_group",
        "auth_group_permissions",
        "auth_permission",
        "django_content_type",
        "django_migrations",
        "health_records",
        "health_signs",
        "registry_epoch",
        "slow_queries",
        "sqlite_sequence",
    )
)
_BATCH = 500  # rows read at a time; fewer where they are large
_TOLD_EVERY = 50_000  # rows
_PROBES, _NEIGHBOURS = 5, 10
_VECTOR_TYPES = ("F32_BLOB", "F64_BLOB", "F16_BLOB", "F8_BLOB", "FB16_BLOB", "FLOAT32", "FLOAT64")
_64_BITS = 2**64

Value = Any


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    is_key: bool


@dataclass(frozen=True)
class TableState:
    """``columns``: from each column's name to a hash of all its values, each with the key of its row.

    The order of rows does not count. A column that was renamed has the same hash.
    """

    rows: int
    columns: dict[str, int]


@dataclass(frozen=True)
class Snapshot:
    """``neighbours``: for some rows of each column of vectors, the keys of those nearest to them."""

    tables: dict[str, TableState]
    neighbours: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)


def take_snapshot(alias: str, progress: Callable[[str], None] = lambda step: None) -> Snapshot:
    """Read the whole database once. It should not change meanwhile: each table is of its own moment.

    `progress` is told how far large tables are read.
    """
    tables: dict[str, TableState] = {}
    neighbours: dict[tuple[str, str, str], list[str]] = {}
    for table in table_names(alias):
        columns = read_columns(alias, table)
        tables[table] = _state(alias, table, columns, progress)
        for column in columns:
            if column.type.upper().startswith(_VECTOR_TYPES):
                neighbours |= _neighbours(alias, table, column.name)
    return Snapshot(tables, neighbours)


def table_names(alias: str, without: Collection[str] = BOOKKEEPING) -> list[str]:
    """The tables that hold rows of their own: no views, no full-text or vector index, and no bookkeeping."""
    rows = _fetch(alias, "SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY name")
    tables = {name: sql for kind, name, sql in rows if kind == "table"}
    virtual = {name for name, sql in tables.items() if sql.upper().startswith("CREATE VIRTUAL TABLE")}
    shadows = tuple(f"{name}_" for name in virtual)
    built = {f"{name}_shadow" for kind, name, sql in rows if kind == "index" and "libsql_vector_idx" in sql}
    return [
        name
        for name in tables
        if name not in {*virtual, *without, *built} and not name.startswith((*shadows, "sqlite_", "libsql_"))
    ]


def read_schema(alias: str) -> dict[str, str]:
    """From each table, index, view and trigger to the SQL that makes it, without the engine's own."""
    rows = _fetch(alias, "SELECT type || ' ' || name, sql, name FROM sqlite_master WHERE sql IS NOT NULL")
    return {what: sql for what, sql, name in rows if not name.startswith(("sqlite_", "libsql_"))}


def violations(alias: str) -> list[str]:
    """Broken references and damaged pages, as the database tells them; at most a hundred of each."""
    references = _fetch(alias, "PRAGMA foreign_key_check")[:100]
    found = [
        f"{table}: row {row} refers to a missing row of {parent}" for table, row, parent, _ in references
    ]
    return found + [text for (text,) in _fetch(alias, "PRAGMA integrity_check(100)") if text != "ok"]


def read_columns(alias: str, table: str) -> list[Column]:
    rows = _fetch(alias, f"PRAGMA table_info({quote(alias, table)})")
    return [Column(name, type_, bool(key)) for _, name, type_, _, _, key in rows]


def _state(alias: str, table: str, columns: Sequence[Column], progress: Callable[[str], None]) -> TableState:
    sums = dict.fromkeys((column.name for column in columns), 0)
    keys = [at for at, column in enumerate(columns) if column.is_key]
    rows = 0
    for values in read_rows(alias, table, columns):
        rows += 1
        if rows % _TOLD_EVERY == 0:
            progress(f"{table}: {rows:,} rows read")
        key = hashlib.blake2b(digest_size=16)
        for at in keys:
            key.update(_bytes(values[at]))
        for column, value in zip(columns, values, strict=True):
            digest = key.copy()
            digest.update(_bytes(value))
            sums[column.name] += int.from_bytes(digest.digest()[:8], "big")
    return TableState(rows, {name: total % _64_BITS for name, total in sums.items()})


def read_rows(alias: str, table: str, columns: Sequence[Column]) -> Iterator[Sequence[Value]]:
    """All rows, a batch at a time, in the order of the key, or of the hidden row number without one."""
    names = [quote(alias, column.name) for column in columns]
    key = [quote(alias, column.name) for column in columns if column.is_key] or ["rowid"]
    selected = ", ".join([*key, *names])
    order, places = ", ".join(key), ", ".join(["%s"] * len(key))
    start = f"SELECT {selected} FROM {quote(alias, table)}"  # noqa: S608 - quoted names
    after: Sequence[Value] = ()
    batch = _BATCH
    while True:
        condition = f" WHERE ({order}) > ({places})" if after else ""
        sql = f"{start}{condition} ORDER BY {order} LIMIT {batch}"
        try:
            found = _fetch(alias, sql, after)
        except OperationalError:
            if batch == 1:
                raise
            batch = max(1, batch // 8)  # a server sends 10 MB at most
            continue
        yield from (row[len(key) :] for row in found)
        if len(found) < batch:
            return
        after = found[-1][: len(key)]


def _neighbours(alias: str, table: str, column: str) -> dict[tuple[str, str, str], list[str]]:
    """The nearest to the first few rows by cosine distance, exactly."""
    key = ", ".join(quote(alias, one.name) for one in read_columns(alias, table) if one.is_key) or "rowid"
    vector = quote(alias, column)
    rows = f"FROM {quote(alias, table)} WHERE {vector} IS NOT NULL"
    found: dict[tuple[str, str, str], list[str]] = {}
    # A column may hold what is no vector; then there is nothing to compare.
    with suppress(OperationalError):
        for probe in _fetch(alias, f"SELECT {key}, {vector} {rows} ORDER BY {key} LIMIT {_PROBES}"):
            distance = f"vector_distance_cos({vector}, %s)"
            nearest = _fetch(
                alias, f"SELECT {key} {rows} ORDER BY {distance}, {key} LIMIT {_NEIGHBOURS}", [probe[-1]]
            )
            found[table, column, repr(probe[:-1])] = [repr(one) for one in nearest]
    return found


def _bytes(value: Value) -> bytes:
    """Unambiguous: the type and the length stand before the value."""
    if isinstance(value, bytes):
        content = value
    elif isinstance(value, str):
        content = value.encode()
    else:
        content = repr(value).encode()
    return f"{type(value).__name__}{len(content)}:".encode() + content


def _fetch(alias: str, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, list(parameters))
        return cursor.fetchall()


def quote(alias: str, name: str) -> str:
    """As an identifier in SQL that Django reads as a template of parameters."""
    quoted: str = connections[alias].ops.quote_name(name.replace('"', '""'))
    return quoted.replace("%", "%%")

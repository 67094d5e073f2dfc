"""The hash of a table: the same for the same rows in any order, another one for any other rows."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from ops.backups import fingerprints
from ops.backups.fingerprints import Fingerprint
from tests.prompts.databases import opened

VALUES = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(), st.binary()
)


@pytest.fixture
def alias(tmp_path: Any, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with django_db_blocker.unblock(), opened("hashed", tmp_path / "a.db") as name:
        yield name


def run(alias: str, sql: str, *values: Any) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, list(values))


def of(alias: str, *rows: tuple[Any, ...]) -> Fingerprint:
    """The fingerprint of a table with these rows."""
    run(alias, "DROP TABLE IF EXISTS t")
    run(alias, "CREATE TABLE t (a, b)")
    for row in rows:
        run(alias, "INSERT INTO t VALUES (%s, %s)", *row)
    return fingerprints.take(alias)["t"]


@given(one=st.lists(VALUES, max_size=4), other=st.lists(VALUES, max_size=4))
def test_rows_that_differ_are_written_differently(one: list[Any], other: list[Any]) -> None:
    def exact(row: list[Any]) -> list[tuple[str, str]]:
        return [(type(value).__name__, repr(value)) for value in row]

    is_same = fingerprints._encoded(one) == fingerprints._encoded(other)
    assert is_same == (exact(one) == exact(other))


@pytest.mark.parametrize(
    "rows",
    [
        [("x", 1)],
        [("x", 1), ("y", 2), ("y", 2)],
        [("x", 2), ("y", 1)],
        [("x", "1"), ("y", 2)],
        [("x", 1.0), ("y", 2)],
        [(b"x", 1), ("y", 2)],
        [("x", None), ("y", 2)],
        [("x1", ""), ("y", 2)],
    ],
    ids=["lost", "doubled", "swapped", "text", "float", "blob", "null", "moved"],
)
def test_a_change_of_any_row_is_found(alias: str, rows: list[tuple[Any, ...]]) -> None:
    before = of(alias, ("x", 1), ("y", 2))
    after = of(alias, *rows)
    assert fingerprints.differences({"t": before}, {"t": after}) != []


def test_the_order_of_rows_does_not_count(alias: str) -> None:
    assert of(alias, ("x", 1), ("y", 2)) == of(alias, ("y", 2), ("x", 1))


def test_a_table_that_is_gone_or_new_is_found(alias: str) -> None:
    found = {"t": of(alias, ("x", 1))}
    assert fingerprints.differences(found, {}) == ["t: the table is missing"]
    assert fingerprints.differences({}, found) == ["t: the table was not expected"]
    assert fingerprints.differences(found, found) == []


def test_indexes_and_what_the_engine_keeps_are_left_out(alias: str) -> None:
    run(alias, "CREATE VIRTUAL TABLE words USING fts5(text)")
    run(alias, "INSERT INTO words VALUES ('a')")
    run(alias, "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v F32_BLOB(2))")
    run(alias, "CREATE INDEX near ON t (libsql_vector_idx(v))")
    run(alias, "INSERT INTO t (v) VALUES (vector32('[1, 0]'))")
    assert set(fingerprints.take(alias)) == {"t"}


def test_the_schema_is_part_of_it(alias: str) -> None:
    of(alias)
    before = fingerprints.schema_hash(alias)
    run(alias, "CREATE TRIGGER late AFTER DELETE ON t BEGIN SELECT 1; END")
    assert fingerprints.schema_hash(alias) != before
    run(alias, "DROP TRIGGER late")
    assert fingerprints.schema_hash(alias) == before

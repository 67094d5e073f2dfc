"""The PEP 249 face of the engine, which behaves as the sqlite3 module does."""

import datetime
import decimal
import sqlite3
import uuid
from typing import Any

import pytest

from afn_project.libsql import dbapi
from afn_project.libsql.dbapi import Connection

from .conftest import Connect

TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, score REAL CHECK (score >= 0))"


@pytest.fixture
def table(memory: Connection) -> Connection:
    memory.execute(TABLE)
    memory.execute("INSERT INTO t (name) VALUES ('a'), ('b'), ('c')")
    return memory


def test_its_errors_are_those_of_sqlite3() -> None:
    for name in ("Error", "DatabaseError", "DataError", "IntegrityError", "OperationalError"):
        assert getattr(dbapi, name) is getattr(sqlite3, name)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (decimal.Decimal("1.10"), "1.10"),
        (decimal.Decimal("1E+3"), "1E+3"),
        (datetime.date(2024, 2, 29), "2024-02-29"),
        (datetime.datetime(2024, 1, 2, 3, 4, 5), "2024-01-02 03:04:05"),
        (datetime.datetime(2024, 1, 2, 3, 4, 5, 60), "2024-01-02 03:04:05.000060"),
        (datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC), "2024-01-02 00:00:00+00:00"),
        (datetime.time(1, 2, 3, 4), "01:02:03.000004"),
        (memoryview(b"abc")[1:], b"bc"),
        (bytearray(b"\0"), b"\0"),
    ],
)
def test_python_values_are_stored_as_django_stores_them(memory: Connection, value: Any, stored: Any) -> None:
    assert memory.execute("SELECT ?", [value]).fetchone() == (stored,)


def test_it_refuses_a_uuid_as_sqlite3_does(memory: Connection) -> None:
    with pytest.raises(dbapi.ProgrammingError, match="UUID"):
        memory.execute("SELECT ?", [uuid.UUID(int=1)])


def test_fetching_past_the_end_gives_nothing(table: Connection) -> None:
    cursor = table.execute("SELECT name FROM t ORDER BY id")
    assert cursor.fetchone() == ("a",)
    assert cursor.fetchmany() == [("b",)]  # arraysize is 1
    assert cursor.fetchmany(5) == [("c",)]
    assert cursor.fetchone() is None
    assert cursor.fetchmany(2) == []
    assert cursor.fetchall() == []
    assert list(cursor) == []


def test_all_rows_are_fetched_once(table: Connection) -> None:
    cursor = table.execute("SELECT name FROM t ORDER BY id")
    assert cursor.fetchall() == [("a",), ("b",), ("c",)]
    assert cursor.fetchall() == []


def test_a_cursor_is_an_iterator_over_what_is_left(table: Connection) -> None:
    cursor = table.execute("SELECT name FROM t ORDER BY id")
    assert next(cursor) == ("a",)
    assert list(cursor) == [("b",), ("c",)]


def test_two_cursors_do_not_share_their_rows(table: Connection) -> None:
    first = table.execute("SELECT name FROM t ORDER BY id")
    second = table.execute("SELECT name FROM t ORDER BY id DESC")
    assert (first.fetchone(), second.fetchone(), first.fetchone()) == (("a",), ("c",), ("b",))


def test_a_result_outlives_the_deletion_of_its_rows(table: Connection) -> None:
    cursor = table.execute("SELECT name FROM t ORDER BY id")
    table.execute("DROP TABLE t")
    assert len(cursor.fetchall()) == 3


@pytest.mark.parametrize(
    ("sql", "rowcount"),
    [
        ("INSERT INTO t (name) VALUES ('x')", 1),
        ("INSERT INTO t (name) VALUES ('x'), ('y')", 2),
        ("INSERT INTO t (name) VALUES ('x'), ('y') RETURNING id", 2),
        ("INSERT OR IGNORE INTO t (name) VALUES ('a')", 0),
        ("REPLACE INTO t (name) VALUES ('a')", 1),
        ("UPDATE t SET score = 1", 3),
        ("UPDATE t SET score = 1 WHERE id < 3", 2),
        ("UPDATE t SET score = 1 WHERE id < 3 RETURNING name", 2),
        ("UPDATE t SET score = 1 WHERE id > 99", 0),
        ("UPDATE t SET score = 1 WHERE id > 99 RETURNING name", 0),
        ("  delete from t where id = 1", 1),
        ("DELETE FROM t RETURNING name", 3),
        ("DELETE FROM t", 3),
        ("DELETE\nFROM t WHERE 0", 0),
        ("SELECT * FROM t", -1),
        ("CREATE TABLE other (a)", -1),
        ("PRAGMA foreign_keys", -1),
    ],
)
def test_rowcount_is_the_number_of_changed_rows(table: Connection, sql: str, rowcount: int) -> None:
    assert table.execute(sql).rowcount == rowcount


def test_rowcount_does_not_add_up_over_statements(table: Connection) -> None:
    cursor = table.cursor()
    counts = [cursor.execute("UPDATE t SET score = 1").rowcount for _ in range(3)]
    assert counts == [3, 3, 3]


def test_lastrowid_is_that_of_the_last_insert(table: Connection) -> None:
    cursor = table.cursor()
    assert cursor.lastrowid is None
    assert cursor.execute("INSERT INTO t (id, name) VALUES (41, 'x'), (42, 'y')").lastrowid == 42
    assert cursor.execute("SELECT * FROM t").lastrowid == 42
    assert cursor.execute("INSERT INTO t (name) VALUES ('z') RETURNING name").lastrowid == 43
    assert cursor.execute("REPLACE INTO t (name) VALUES ('z')").lastrowid == 44


def test_a_large_lastrowid_is_exact(table: Connection) -> None:
    cursor = table.execute("INSERT INTO t (id) VALUES (?)", [2**53 + 1])
    assert cursor.lastrowid == 2**53 + 1


def test_description_names_the_columns_of_a_result(table: Connection) -> None:
    def names(sql: str) -> list[str] | None:
        description = table.execute(sql).description
        assert description is None or all(column[1:] == (None,) * 6 for column in description)
        return description and [column[0] for column in description]

    assert names("SELECT id, name AS title, 1 + 1, 'é' AS \"é?\" FROM t") == ["id", "title", "1 + 1", "é?"]
    assert names("SELECT id FROM t WHERE 0") == ["id"]
    assert names("INSERT INTO t (name) VALUES ('x') RETURNING id") == ["id"]
    assert names("PRAGMA foreign_keys") == ["foreign_keys"]
    assert names("UPDATE t SET score = 1") is None
    assert names("CREATE TABLE other (a)") is None


def test_executemany_runs_once_for_each_row(table: Connection) -> None:
    cursor = table.cursor()
    cursor.executemany("INSERT INTO t (id, name) VALUES (?, ?)", ((n, f"n{n}") for n in (10, 2**53 + 1)))
    assert cursor.rowcount == 2
    assert cursor.description is None
    assert cursor.fetchall() == []
    assert table.execute("SELECT id FROM t WHERE name LIKE 'n%' ORDER BY id").fetchall() == [
        (10,),
        (2**53 + 1,),
    ]


def test_executemany_of_nothing_changes_nothing(table: Connection) -> None:
    assert table.cursor().executemany("DELETE FROM t WHERE id = ?", []).rowcount == 0


def test_executemany_checks_every_row(table: Connection) -> None:
    with pytest.raises(dbapi.ProgrammingError, match="got 1 values"):
        table.cursor().executemany("INSERT INTO t (id, name) VALUES (?, ?)", [(10, "x"), (11,)])


def test_executescript_runs_every_statement(table: Connection) -> None:
    table.cursor().executescript("INSERT INTO t (name) VALUES ('semi;colon'); CREATE TABLE other (a);")
    assert table.execute("SELECT name FROM t WHERE id = 4").fetchone() == ("semi;colon",)
    assert table.execute("SELECT count(*) FROM other").fetchone() == (0,)


def test_executescript_does_not_swallow_errors(table: Connection) -> None:
    with pytest.raises(dbapi.OperationalError, match="no such table: nowhere"):
        table.cursor().executescript("CREATE TABLE other (a); INSERT INTO nowhere VALUES (1); DROP TABLE t;")
    assert table.execute("SELECT count(*) FROM t").fetchone() == (3,)


def test_executescript_commits_what_was_open(connect: Connect) -> None:
    connection = connect()
    connection.execute("CREATE TABLE t (a)")
    connection.execute("BEGIN")
    connection.execute("INSERT INTO t VALUES (1)")
    connection.cursor().executescript("SELECT 1;")
    assert not connection.in_transaction
    assert connect().execute("SELECT count(*) FROM t").fetchone() == (1,)


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("INSERT INTO t (name) VALUES ('a')", "SQLITE_CONSTRAINT_UNIQUE"),
        ("INSERT INTO t (score) VALUES (-1)", "SQLITE_CONSTRAINT_CHECK"),
        ("INSERT INTO child VALUES (NULL)", "SQLITE_CONSTRAINT_NOTNULL"),
        ("INSERT INTO child VALUES (99)", "SQLITE_CONSTRAINT_FOREIGNKEY"),
        ("DELETE FROM t", "SQLITE_CONSTRAINT_FOREIGNKEY"),
        ("INSERT INTO t (id) VALUES ('text')", "SQLITE_MISMATCH"),
    ],
)
def test_a_broken_constraint_is_told_by_its_name(table: Connection, sql: str, name: str) -> None:
    table.execute("PRAGMA foreign_keys = ON")
    table.execute("CREATE TABLE child (t_id INTEGER NOT NULL REFERENCES t (id))")
    table.execute("INSERT INTO child VALUES (1)")
    with pytest.raises(dbapi.IntegrityError) as caught:
        table.execute(sql)
    assert caught.value.sqlite_errorname == name
    assert table.execute("SELECT count(*) FROM t").fetchone() == (3,)


@pytest.mark.parametrize("method", ["fetchone", "fetchmany", "fetchall"])
def test_a_closed_cursor_gives_nothing(table: Connection, method: str) -> None:
    cursor = table.execute("SELECT * FROM t")
    cursor.close()
    with pytest.raises(dbapi.ProgrammingError, match="closed cursor"):
        getattr(cursor, method)()
    with pytest.raises(dbapi.ProgrammingError, match="closed cursor"):
        next(cursor)
    with pytest.raises(dbapi.ProgrammingError, match="closed cursor"):
        list(cursor)
    with pytest.raises(dbapi.ProgrammingError, match="closed cursor"):
        cursor.execute("SELECT 1")
    with pytest.raises(dbapi.ProgrammingError, match="closed cursor"):
        cursor.executemany("SELECT ?", [(1,)])
    with pytest.raises(dbapi.ProgrammingError, match="closed cursor"):
        cursor.executescript("SELECT 1")


def test_a_closed_connection_refuses_everything(memory: Connection) -> None:
    cursor = memory.cursor()
    memory.close()
    memory.close()  # once more does no harm
    for call in (
        lambda: cursor.execute("SELECT 1"),
        lambda: memory.execute("SELECT 1"),
        memory.cursor,
        memory.commit,
        memory.rollback,
        lambda: memory.in_transaction,
    ):
        with pytest.raises(dbapi.ProgrammingError, match="closed database"):
            call()


def test_closing_rolls_back_what_is_open(connect: Connect) -> None:
    connection = connect()
    connection.execute("CREATE TABLE t (a)")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO t VALUES (1)")
    connection.close()
    other = connect(timeout=0.0)
    assert other.execute("SELECT count(*) FROM t").fetchone() == (0,)
    other.execute("INSERT INTO t VALUES (2)")


def test_commit_and_rollback_without_a_transaction_do_nothing(memory: Connection) -> None:
    memory.commit()
    memory.rollback()
    assert not memory.in_transaction


def test_an_isolation_level_opens_a_transaction_before_the_first_change(connect: Connect) -> None:
    connection, other = connect(), connect()
    connection.execute("CREATE TABLE t (a)")
    connection.isolation_level = "IMMEDIATE"
    connection.execute("SELECT * FROM t")
    assert not connection.in_transaction
    connection.execute("INSERT INTO t VALUES (1)")
    assert connection.in_transaction
    assert other.execute("SELECT count(*) FROM t").fetchone() == (0,)
    connection.isolation_level = None  # commits, as in sqlite3
    assert other.execute("SELECT count(*) FROM t").fetchone() == (1,)

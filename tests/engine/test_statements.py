"""What counts as reading: only that is sent again after a lost connection, and read from a copy."""

import sqlite3

import pytest

from afn_project.libsql import dbapi
from afn_project.libsql.statements import only_reads, pragma


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  /* why */ -- how\n (SELECT 1)",
        "VALUES (1), (2)",
        "WITH a AS (SELECT 'DELETE FROM t') SELECT * FROM a",
        "EXPLAIN QUERY PLAN SELECT 1",
        "PRAGMA table_info(t)",
        "PRAGMA main.table_xinfo('t')",
        "PRAGMA foreign_key_check(t)",
        "PRAGMA foreign_key_list(t)",
        "PRAGMA user_version",
    ],
)
def test_it_reads(sql: str) -> None:
    assert only_reads(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "INSERT INTO t VALUES (1) RETURNING id",
        "WITH a AS (SELECT 1) DELETE FROM t",
        "with a as (select 1) insert into t select * from a returning x",
        "EXPLAIN DELETE FROM t",
        "/* SELECT */ UPDATE t SET x = 1",
        "-- SELECT\nDELETE FROM t",
        "REPLACE INTO t VALUES (1)",
        "PRAGMA user_version = 5",
        "PRAGMA user_version(5)",
        "PRAGMA main.user_version(5)",
        "PRAGMA foreign_keys(OFF)",
        "PRAGMA optimize",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "PRAGMA incremental_vacuum",
        "PRAGMA",
        "SELECT writefile('/tmp/x', 'y')",
        "SELECT \"writefile\"('/tmp/x', 'y')",
        "SAVEPOINT a",
        "CREATE TABLE t (x)",
        "ANALYZE",
    ],
)
def test_it_may_write(sql: str) -> None:
    assert not only_reads(sql)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("PRAGMA foreign_keys = OFF", ("foreign_keys", "=", "OFF")),
        ("  /* x */ pragma main.Foreign_Keys('no')", ("foreign_keys", "(", "no")),
        ("PRAGMA journal_mode", ("journal_mode", "", "")),
        ("SELECT 'PRAGMA x = 1'", ("", "", "")),
    ],
)
def test_the_parts_of_a_pragma(sql: str, expected: tuple[str, str, str]) -> None:
    assert pragma(sql) == expected


def test_sql_with_a_nul_is_refused_as_sqlite_does(memory: dbapi.Connection) -> None:
    with pytest.raises(sqlite3.ProgrammingError, match="null character"):
        memory.execute("SELECT 1\0; DROP TABLE t")

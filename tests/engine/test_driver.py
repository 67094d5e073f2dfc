"""Values and statements through the driver, where the binding alone would spoil or drop them."""

from collections.abc import Sequence
from typing import Any

import pytest

from afn_project.libsql.dbapi import Connection, DataError, OperationalError, ProgrammingError

from .conftest import Connect

INTEGERS = [
    *(0, 1, -1),
    *(2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**32 + 1),
    *(2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1),
    *(2**63 - 1, -(2**63), -(2**63) + 1),
]
# Each has a question mark that is not a parameter, and one that is.
SURROUNDINGS = [
    "SELECT ?, 'why?'",
    "SELECT ?, 'it''s ?'",
    'SELECT ?, 1 AS "what?"',
    'SELECT ?, 1 AS "a ""quoted"" name?"',
    "SELECT ?, 1 AS `which?`",
    "SELECT ?, 1 AS [where?]",
    "SELECT /* ? '? */ ?",
    "SELECT -- ? '?\n ?",
    "SELECT -?",
    "SELECT ? -- ?",
    "SELECT ? /* ? */",
]
BIG = 2**53 + 1  # binds as REAL in the binding, which loses its last bit
TRUNCATING = [
    *("DELETE FROM t", 'DELETE FROM "t"', "delete from t;", " DELETE\n FROM t ", "DELETE FROM [t]"),
    *(
        "DELETE FROM `t`",
        "DELETE FROM't'",
        "DELETE FROM main.t",
        'DELETE FROM "main" . "t"',
        "DELETE FROM t AS x",
    ),
    *(
        "DELETE FROM t -- all",
        "/* all */ DELETE FROM t",
        "DELETE/**/FROM t; -- all",
        "DELETE FROM t RETURNING id",
    ),
]


def one(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
    row = connection.execute(sql, parameters).fetchone()
    assert row is not None
    return row


@pytest.mark.parametrize("value", INTEGERS)
def test_an_integer_keeps_its_value_and_its_type(memory: Connection, value: int) -> None:
    assert one(memory, "SELECT ?, typeof(?)", [value, value]) == (value, "integer")


@pytest.mark.parametrize("value", INTEGERS)
def test_an_integer_survives_a_column(memory: Connection, value: int) -> None:
    memory.execute("CREATE TABLE t (n INTEGER, before TEXT, after TEXT)")
    memory.execute("INSERT INTO t (before, n, after) VALUES (?, ?, ?)", ["b?", value, "a?"])
    assert one(memory, "SELECT before, n, after FROM t WHERE n = ?", [value]) == ("b?", value, "a?")


@pytest.mark.parametrize("value", [2**31, BIG, 2**63 - 1, -(2**63)])
@pytest.mark.parametrize("sql", SURROUNDINGS)
def test_a_question_mark_that_is_no_parameter_stays(memory: Connection, sql: str, value: int) -> None:
    # SQLite has no integer for the positive of the smallest one, so its negative is a float.
    expected = -value if "-?" in sql else value
    assert one(memory, sql, [value])[0] == expected


def test_large_integers_stand_beside_values_of_every_type(memory: Connection) -> None:
    values = [BIG, "?", None, -BIG, b"?", 1.5, 7, 2**31, "it's"]
    assert list(one(memory, "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?", values)) == values


def test_true_and_false_are_one_and_zero(memory: Connection) -> None:
    assert one(memory, "SELECT ?, ?", [True, False]) == (1, 0)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**30])
def test_it_refuses_integers_beyond_64_bits(memory: Connection, value: int) -> None:
    with pytest.raises(OverflowError, match="too large"):
        memory.execute("SELECT ?", [value])


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("SELECT 1", [1]),
        ("SELECT ?", []),
        ("SELECT ?", [1, 2]),
        ("SELECT ?, ?", [BIG]),
        ("SELECT '?'", ["x"]),
        ("SELECT ? -- ?", [1, 2]),
        ('SELECT 1 AS "?"', [1]),
    ],
)
def test_it_refuses_a_wrong_number_of_values(memory: Connection, sql: str, values: list[Any]) -> None:
    with pytest.raises(ProgrammingError, match=f"got {len(values)} values"):
        memory.execute(sql, values)


@pytest.mark.parametrize("text", ["\0", "a\0b", "ends\0"])
def test_it_refuses_text_with_nul(memory: Connection, text: str) -> None:
    with pytest.raises(DataError, match="NUL"):
        memory.execute("SELECT ?", [text])


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_it_refuses_lone_surrogates(memory: Connection, text: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        memory.execute("SELECT ?", [text])
    with pytest.raises(UnicodeEncodeError):
        memory.execute(f"SELECT '{text}'")
    assert one(memory, "SELECT 1") == (1,)


@pytest.mark.parametrize("value", [object(), {}, [], (1,), {1}, 1j])
def test_it_refuses_types_that_sqlite_has_not(memory: Connection, value: Any) -> None:
    with pytest.raises(ProgrammingError, match=type(value).__name__):
        memory.execute("SELECT ?", [value])


@pytest.mark.parametrize(
    "text", ["", "é", "日本語", "😀", "\U0010ffff", "line\nline\r\n", "'\"`[]?%s", "\ufeff"]
)
def test_text_comes_back_unchanged(memory: Connection, text: str) -> None:
    assert one(memory, "SELECT ?, length(?)", [text, text]) == (text, len(text))


@pytest.mark.parametrize("value", [b"", b"\0", b"a\0b", bytes(range(256))])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_come_back_unchanged(memory: Connection, value: bytes, kind: type) -> None:
    assert one(memory, "SELECT ?, typeof(?)", [kind(value), kind(value)]) == (value, "blob")


@pytest.mark.parametrize("value", [0.0, -0.0, 0.1, 1e308, 5e-324, float("inf"), -float("inf")])
def test_floats_come_back_unchanged(memory: Connection, value: float) -> None:
    (found,) = one(memory, "SELECT ?", [value])
    assert (found, str(found)) == (value, str(value))


def test_not_a_number_becomes_null_as_in_sqlite(memory: Connection) -> None:
    assert one(memory, "SELECT ?", [float("nan")]) == (None,)


def test_subclasses_of_text_and_numbers_are_stored_as_their_base(memory: Connection) -> None:
    class Name(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "something else"

    class Number(int):
        pass

    assert one(memory, "SELECT ?, ?", [Name("name"), Number(BIG)]) == ("name", BIG)


def test_invalid_utf8_is_an_error_that_says_how_to_read_it(memory: Connection) -> None:
    memory.execute("CREATE TABLE t (id INTEGER, a TEXT)")
    memory.execute("INSERT INTO t VALUES (1, CAST(x'61ff62' AS TEXT)), (2, 'good')")
    with pytest.raises(OperationalError, match=r"CAST.* AS BLOB"):
        memory.execute("SELECT a FROM t")
    # The connection goes on working, the advice is good, and a transaction is still possible.
    assert one(memory, "SELECT CAST(a AS BLOB) FROM t WHERE id = 1") == (b"a\xffb",)
    memory.execute("BEGIN")
    memory.execute("UPDATE t SET a = 'mended' WHERE id = 1")
    memory.execute("COMMIT")
    assert memory.execute("SELECT a FROM t").fetchall() == [("mended",), ("good",)]


def test_invalid_utf8_inside_a_transaction_leaves_the_transaction_to_its_owner(memory: Connection) -> None:
    memory.execute("CREATE TABLE t (a)")
    memory.execute("BEGIN IMMEDIATE")
    memory.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(OperationalError, match="UTF-8"):
        memory.execute("SELECT CAST(x'ff' AS TEXT)")
    assert memory.in_transaction
    memory.execute("ROLLBACK")
    assert one(memory, "SELECT count(*) FROM t") == (0,)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)",
        "INSERT INTO t VALUES (1);\n-- and\nDROP TABLE t;",
        "BEGIN; DELETE FROM t; COMMIT",
        "; SELECT 1; SELECT 2",
    ],
)
def test_it_refuses_two_statements_at_once(memory: Connection, sql: str) -> None:
    memory.execute("CREATE TABLE t (a)")
    with pytest.raises(ProgrammingError, match="one statement at a time"):
        memory.execute(sql)
    assert one(memory, "SELECT count(*) FROM t") == (0,)
    assert not memory.in_transaction


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES ('; DROP TABLE t');",
        "INSERT INTO t VALUES (';') ; -- done; really\n ;",
        "INSERT INTO t VALUES (1) /* ; */",
        "INSERT INTO t VALUES (1) /* ? never closed",
    ],
)
def test_a_semicolon_may_end_a_statement_or_stand_in_its_text(memory: Connection, sql: str) -> None:
    memory.execute("CREATE TABLE t (a)")
    memory.execute(sql)
    assert one(memory, "SELECT count(*) FROM t") == (1,)


def test_a_trigger_is_one_statement(memory: Connection) -> None:
    memory.execute("CREATE TABLE t (a)")
    memory.execute(
        "CREATE TRIGGER double AFTER INSERT ON t WHEN new.a < 9 BEGIN "
        "INSERT INTO t VALUES (9); UPDATE t SET a = 10 WHERE a = 9; END;"
    )
    memory.execute("INSERT INTO t VALUES (1)")
    assert memory.execute("SELECT a FROM t").fetchall() == [(1,), (10,)]


@pytest.mark.parametrize("sql", ["", " \n", ";", "-- a comment", "/* a comment */;", "-- one\n-- two"])
def test_a_statement_that_is_all_comment_does_nothing(memory: Connection, sql: str) -> None:
    cursor = memory.execute(sql)
    assert (cursor.fetchall(), cursor.description, cursor.rowcount) == ([], None, -1)


def test_a_failed_statement_names_its_cause(memory: Connection) -> None:
    with pytest.raises(OperationalError, match=r"^no such table: nowhere$"):
        memory.execute("SELECT * FROM nowhere")
    with pytest.raises(OperationalError, match='near "SELEC": syntax error'):
        memory.execute("SELEC 1")


def test_a_folder_that_is_not_there_is_an_operational_error(connect: Connect, path: str) -> None:
    with pytest.raises(OperationalError, match="missing"):
        connect(f"{path}/missing/x.db")


@pytest.mark.parametrize("sql", TRUNCATING)
def test_deleting_all_rows_empties_a_vector_index_too(memory: Connection, sql: str) -> None:
    memory.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v F32_BLOB(2))")
    memory.execute("CREATE INDEX t_v ON t (libsql_vector_idx(v))")
    memory.execute("INSERT INTO t (v) VALUES (vector32('[1, 2]')), (vector32('[2, 1]'))")
    nearest = "SELECT id FROM vector_top_k('t_v', vector32('[1, 2]'), 5)"
    assert len(memory.execute(nearest).fetchall()) == 2

    assert memory.execute(sql).rowcount == 2

    assert memory.execute(nearest).fetchall() == []
    memory.execute("INSERT INTO t (id, v) VALUES (9, vector32('[1, 2]'))")
    assert memory.execute(nearest).fetchall() == [(9,)]


def test_deleting_some_rows_takes_only_them_from_a_vector_index(memory: Connection) -> None:
    memory.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v F32_BLOB(2))")
    memory.execute("CREATE INDEX t_v ON t (libsql_vector_idx(v))")
    memory.execute("INSERT INTO t (v) VALUES (vector32('[1, 2]')), (vector32('[2, 1]'))")
    memory.execute("DELETE FROM t WHERE id = ?", [1])
    assert memory.execute("SELECT id FROM vector_top_k('t_v', vector32('[1, 2]'), 5)").fetchall() == [(2,)]


def test_an_error_is_known_by_how_it_starts(memory: Connection) -> None:
    for text in ("database is locked", "UNIQUE constraint failed", "malformed"):
        with pytest.raises(OperationalError, match="bad JSON path") as caught:
            memory.execute("SELECT json_extract('{}', ?)", [text])
        assert caught.value.sqlite_errorname == "SQLITE_ERROR"
    with pytest.raises(OperationalError, match="malformed JSON"):
        memory.execute("SELECT json('{bad')")

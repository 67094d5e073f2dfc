"""The engine on a libSQL server: values, errors, transactions, and what each costs in round trips."""

import math
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import ConnectionHandler, connections
from pytest_django.plugin import DjangoDbBlocker

from afn_project.libsql import dbapi, errors
from afn_project.libsql.pool import Limits
from tests.sqld import Sqld

from .conftest import Connect
from .counting import counted_round_trips

VALUES = [
    None,
    0,
    -1,
    2**31,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    0.1,
    -0.0,
    1e308,
    "",
    "text",
    "日本語 😀 ' \" \\ \n",
    "a" * 100_000,
    b"",
    b"\x00\xff",
    bytes(range(256)) * 400,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_a_value_comes_back_as_it_was(remote: dbapi.Connection, value: Any) -> None:
    remote.execute("INSERT INTO t (x) VALUES (?)", (value,))
    ((found,),) = remote.execute("SELECT x FROM t").fetchall()
    assert (found, type(found)) == (value, type(value))


def test_nan_is_null_as_in_sqlite(remote: dbapi.Connection) -> None:
    assert remote.execute("SELECT ?", (math.nan,)).fetchone() == (None,)


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinity_is_stored_and_is_not_read_as_null(remote: dbapi.Connection, value: float) -> None:
    remote.execute("INSERT INTO t (x) VALUES (?)", (value,))
    ((text,),) = remote.execute("SELECT CAST(x AS TEXT) FROM t").fetchall()
    assert text == ("Inf" if value > 0 else "-Inf")
    with pytest.raises(sqlite3.DataError, match="CAST"):
        remote.execute("SELECT x FROM t")


@pytest.mark.parametrize(
    ("sql", "parameters", "kind", "name"),
    [
        ("INSERT INTO t (u) VALUES (1)", (), sqlite3.IntegrityError, "SQLITE_CONSTRAINT_UNIQUE"),
        ("SELECT * FROM missing", (), sqlite3.OperationalError, "SQLITE_ERROR"),
        ("SELECT syntax error", (), sqlite3.OperationalError, "SQLITE_ERROR"),
        ("INSERT INTO t (x) VALUES (?)", (), sqlite3.ProgrammingError, None),
        ("VACUUM", (), sqlite3.NotSupportedError, None),
        ("INSERT INTO t (x) VALUES (?)", (b"x" * 12_000_000,), sqlite3.DataError, "SQLITE_TOOBIG"),
        ("SELECT x'ff' || CAST(x'ff' AS TEXT)", (), sqlite3.OperationalError, None),
    ],
)
def test_an_error_has_the_class_that_sqlite_gives(
    remote: dbapi.Connection, sql: str, parameters: tuple[Any, ...], kind: type[Exception], name: str | None
) -> None:
    remote.execute("INSERT INTO t (u) VALUES (1)")
    with pytest.raises(kind) as caught:
        remote.execute(sql, parameters)
    assert name is None or caught.value.sqlite_errorname == name  # type: ignore[attr-defined]
    assert remote.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_a_result_beyond_ten_megabytes_says_what_to_do(remote: dbapi.Connection) -> None:
    with pytest.raises(errors.ResultTooLarge, match="fewer rows"):
        remote.execute("SELECT randomblob(3000000) FROM (VALUES (1), (2), (3), (4))")


def test_a_transaction_is_seen_by_others_only_after_its_commit(
    remote: dbapi.Connection, connect: Connect
) -> None:
    other = connect()
    remote.execute("BEGIN IMMEDIATE")
    remote.execute("INSERT INTO t (x) VALUES (1)")
    assert remote.in_transaction
    assert other.execute("SELECT count(*) FROM t").fetchone() == (0,)
    remote.commit()
    assert not remote.in_transaction
    assert other.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_a_rollback_undoes_all_and_a_savepoint_its_part(remote: dbapi.Connection) -> None:
    remote.execute("BEGIN IMMEDIATE")
    remote.execute("INSERT INTO t (x) VALUES (1)")
    remote.execute("SAVEPOINT s")
    remote.execute("INSERT INTO t (x) VALUES (2)")
    remote.execute("ROLLBACK TO s")
    remote.execute("RELEASE s")
    assert remote.execute("SELECT x FROM t").fetchall() == [(1,)]
    remote.rollback()
    assert remote.execute("SELECT x FROM t").fetchall() == []


def test_a_failed_statement_leaves_the_transaction_open(remote: dbapi.Connection) -> None:
    remote.execute("BEGIN IMMEDIATE")
    remote.execute("INSERT INTO t (u) VALUES (1)")
    with pytest.raises(sqlite3.IntegrityError):
        remote.execute("INSERT INTO t (u) VALUES (1)")
    assert remote.in_transaction
    remote.commit()
    assert remote.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_begin_costs_no_round_trip_of_its_own(remote: dbapi.Connection) -> None:
    with counted_round_trips() as trips:
        remote.execute("BEGIN IMMEDIATE")
        remote.execute("INSERT INTO t (x) VALUES (1)")
        remote.commit()
    assert len(trips) == 2


def test_an_empty_transaction_costs_nothing(remote: dbapi.Connection) -> None:
    with counted_round_trips() as trips:
        remote.execute("BEGIN IMMEDIATE")
        remote.commit()
        remote.execute("BEGIN IMMEDIATE")
        remote.rollback()
    assert trips == []


def test_many_rows_are_few_round_trips(remote: dbapi.Connection) -> None:
    with counted_round_trips() as trips:
        cursor = remote.cursor().executemany("INSERT INTO t (x) VALUES (?)", ((n,) for n in range(1200)))
    assert cursor.rowcount == 1200
    assert len(trips) == 3
    assert remote.execute("SELECT count(*), min(x), max(x) FROM t").fetchone() == (1200, 0, 1199)


def test_large_rows_are_split_by_their_size(remote: dbapi.Connection) -> None:
    with counted_round_trips() as trips:
        remote.cursor().executemany("INSERT INTO t (x) VALUES (?)", [(b"x" * 1_000_000,)] * 8)
    assert len(trips) > 2
    assert remote.execute("SELECT sum(length(x)) FROM t").fetchone() == (8_000_000,)


def test_many_rows_stop_at_the_first_that_fails(remote: dbapi.Connection) -> None:
    remote.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.IntegrityError):
        remote.cursor().executemany("INSERT INTO t (u) VALUES (?)", [(1,), (2,), (2,), (3,)])
    assert remote.execute("SELECT u FROM t").fetchall() == [(1,), (2,)]
    remote.rollback()


def test_a_script_may_hold_triggers(remote: dbapi.Connection) -> None:
    remote.cursor().executescript(
        "CREATE TABLE log (n); CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.x); END;"
        "INSERT INTO t (x) VALUES (5);"
    )
    assert remote.execute("SELECT n FROM log").fetchall() == [(5,)]


def test_foreign_keys_are_enforced_until_they_are_switched_off(remote: dbapi.Connection) -> None:
    remote.execute("CREATE TABLE child (t_id REFERENCES t)")
    with pytest.raises(sqlite3.IntegrityError):
        remote.execute("INSERT INTO child VALUES (99)")
    remote.execute("PRAGMA foreign_keys = OFF")
    remote.execute("INSERT INTO child VALUES (99)")
    assert remote.execute("PRAGMA foreign_keys").fetchone() == (0,)
    remote.execute("PRAGMA foreign_keys = ON")
    assert remote.execute("PRAGMA foreign_keys").fetchone() == (1,)
    with pytest.raises(sqlite3.IntegrityError):
        remote.execute("INSERT INTO child VALUES (98)")


def test_namespaces_are_apart(remote: dbapi.Connection, connect: Connect, server: Sqld) -> None:
    other = connect(server.create("elsewhere"))
    assert other.execute("SELECT count(*) FROM sqlite_master WHERE name = 't'").fetchone() == (0,)
    server.delete("elsewhere")


def test_threads_share_a_bounded_pool(remote: dbapi.Connection, connect: Connect) -> None:
    limits = Limits(size=2, overflow=0, wait=20)

    def work() -> None:
        for number in range(20):
            connection = connect(limits=limits)
            connection.execute("INSERT INTO t (x) VALUES (?)", (number,))
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert remote.execute("SELECT count(*) FROM t").fetchone() == (160,)


def test_an_exhausted_pool_says_which_setting_to_raise(remote: dbapi.Connection, connect: Connect) -> None:
    limits = Limits(size=1, overflow=0, wait=0.05)
    first, second = connect(limits=limits), connect(limits=limits)
    first.execute("BEGIN")
    first.execute("SELECT 1")
    with pytest.raises(errors.PoolExhausted, match="DB_POOL_SIZE"):
        second.execute("SELECT 1")
    first.rollback()
    assert second.execute("SELECT 1").fetchone() == (1,)


def test_a_closed_connection_rolls_back_at_once(remote: dbapi.Connection, connect: Connect) -> None:
    other = connect()
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO t (x) VALUES (1)")
    other.close()
    remote.execute("BEGIN IMMEDIATE")  # would wait for the other's lock, and steal it after five seconds
    with counted_round_trips() as trips:
        assert remote.execute("SELECT count(*) FROM t").fetchone() == (0,)
    assert len(trips) == 1
    remote.rollback()


@pytest.fixture
def frozen(server: Sqld, namespace: str, remote: dbapi.Connection) -> Iterator[None]:
    server.freeze(namespace, "moving to a new server; 引越し中")
    yield
    server.freeze(namespace, None)


def test_a_frozen_database_is_read_and_tells_its_reason(remote: dbapi.Connection, frozen: None) -> None:
    with pytest.raises(errors.WritesBlocked) as caught:
        remote.execute("INSERT INTO t (x) VALUES (1)")
    assert caught.value.reason == "moving to a new server; 引越し中"
    assert remote.execute("SELECT count(*) FROM t").fetchone() == (0,)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (lambda server: "", "refused the token"),
        (lambda server: "canary", "refused the token"),
        (lambda server: server.token(seconds=-3600), "expired"),
        (lambda server: server.token(access="ro"), "refused the token"),
    ],
    ids=["none", "junk", "expired", "read-only"],
)
def test_a_token_without_the_right_is_refused(
    connect: Connect, remote: dbapi.Connection, server: Sqld, token: Any, expected: str
) -> None:
    secret = token(server)
    with pytest.raises(errors.AccessRefused, match=expected) as caught:
        connect(auth_token=secret).execute("INSERT INTO t (x) VALUES (1)")
    assert "TURSO_AUTH_TOKEN" in str(caught.value)
    assert not secret or secret not in str(caught.value)
    assert remote.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_a_token_of_another_namespace_is_refused(
    connect: Connect, remote: dbapi.Connection, server: Sqld
) -> None:
    with pytest.raises(errors.ServerError, match="TURSO_AUTH_TOKEN"):
        connect(auth_token=server.token(namespace="elsewhere")).execute("SELECT 1")


def test_a_missing_namespace_is_named(connect: Connect, server: Sqld) -> None:
    with pytest.raises(errors.NamespaceNotFound, match="namespace nowhere"):
        connect(server.name("nowhere")).execute("SELECT 1")


BAD_INPUT = [
    ("INSERT INTO t (x) VALUES (?)", ("a\0b",), sqlite3.DataError, "NUL"),
    ("INSERT INTO t (x) VALUES (?)", (2**63,), OverflowError, "too large"),
    ("INSERT INTO t (x) VALUES (?)", (-(2**63) - 1,), OverflowError, "too large"),
    ("INSERT INTO t (x) VALUES (?)", ("\ud800",), UnicodeEncodeError, "surrogates"),
    ("SELECT '\ud800'", (), UnicodeEncodeError, "surrogates"),
    ("SELECT 1\0", (), sqlite3.ProgrammingError, "null character"),
    ("INSERT INTO t (x) VALUES (?)", ("x" * 10_000_001,), sqlite3.DataError, "too big: .* 5 MB"),
    ("SELECT randomblob(4000000) FROM (VALUES (1), (2), (3))", (), errors.ResultTooLarge, "10 MB"),
    (f"SELECT {','.join('?' * 33_000)}", (1,) * 33_000, sqlite3.OperationalError, "too many SQL variables"),
    ("INSERT INTO t (x) VALUES (?)", (object(),), sqlite3.ProgrammingError, "object"),
]


@pytest.mark.parametrize(
    ("sql", "parameters", "kind", "text"),
    BAD_INPUT,
    ids=[f"{n}-{text}" for n, (*_, text) in enumerate(BAD_INPUT)],
)
def test_bad_input_is_a_typed_error_and_harms_neither_connection_nor_transaction(
    remote: dbapi.Connection, sql: str, parameters: tuple[Any, ...], kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        remote.execute(sql, parameters)
    remote.execute("BEGIN IMMEDIATE")
    remote.execute("INSERT INTO t (x) VALUES (1)")
    with pytest.raises(kind, match=text):
        remote.execute(sql, parameters)
    remote.execute("INSERT INTO t (x) VALUES (2)")
    remote.commit()
    assert remote.execute("SELECT x FROM t").fetchall() == [(1,), (2,)]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t (x) VALUES (1) RETURNING CAST(x'ff' AS TEXT)",
        "INSERT INTO t (x) SELECT randomblob(3000000) FROM json_each('[1, 2, 3, 4]') RETURNING x",
    ],
)
def test_a_write_whose_result_cannot_be_sent_is_not_said_to_have_failed(
    remote: dbapi.Connection, sql: str
) -> None:
    with pytest.raises(errors.OutcomeUnknown, match="Look before you run it again"):
        remote.execute(sql)
    assert remote.execute("SELECT count(*) > 0 FROM t").fetchone() == (1,)  # it was stored
    remote.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError):
        remote.execute(sql.replace("VALUES (1)", "VALUES (2)"))
    remote.rollback()
    assert remote.execute("SELECT count(*) FROM t WHERE x = 2").fetchone() == (0,)


@pytest.mark.parametrize(
    "sql",
    [
        "PRAGMA foreign_keys = OFF",
        "  PRAGMA foreign_keys=off",
        "/* x */ PRAGMA main.foreign_keys(0)",
        "PRAGMA defer_foreign_keys = ON",
    ],
)
def test_a_setting_of_one_connection_never_reaches_another(
    remote: dbapi.Connection, connect: Connect, sql: str
) -> None:
    remote.execute("CREATE TABLE child (t_id REFERENCES t)")
    one = connect()
    one.execute(sql)
    one.execute("BEGIN IMMEDIATE")
    one.execute("INSERT INTO child VALUES (99)")  # the setting works where it was made
    one.rollback()
    one.execute("BEGIN IMMEDIATE")
    one.rollback()
    for _ in range(3):  # whichever stream of the pool it is
        with pytest.raises(sqlite3.IntegrityError):
            connect().execute("INSERT INTO child VALUES (99)")
    one.close()
    with pytest.raises(sqlite3.IntegrityError):
        connect().execute("INSERT INTO child VALUES (99)")


def test_a_setting_of_a_script_never_reaches_another(remote: dbapi.Connection, connect: Connect) -> None:
    remote.execute("CREATE TABLE child (t_id REFERENCES t)")
    one = connect()
    one.cursor().executescript("PRAGMA foreign_keys = OFF; INSERT INTO child VALUES (99);")
    with pytest.raises(sqlite3.IntegrityError):
        connect().execute("INSERT INTO child VALUES (99)")
    one.close()
    with pytest.raises(sqlite3.IntegrityError):
        connect().execute("INSERT INTO child VALUES (99)")


@pytest.fixture
def alias(server: Sqld, namespace: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The namespace as a database of Django's, with the table of `Group`."""
    entry = {
        "ENGINE": "afn_project.libsql",
        "NAME": server.name(namespace),
        "OPTIONS": {"auth_token": server.token()},
    }
    connections["server"] = ConnectionHandler({"default": entry})["default"]
    with django_db_blocker.unblock():
        with connections["server"].schema_editor() as editor:
            editor.create_model(Permission)
            editor.create_model(Group)
        yield "server"
        connections["server"].close()
    del connections["server"]


def test_a_thousand_objects_are_at_most_twelve_round_trips(alias: str) -> None:
    connections[alias].close()  # a new connection, as each request has
    with counted_round_trips() as trips:
        made = Group.objects.using(alias).bulk_create(Group(name=f"group {n}") for n in range(1000))
    assert len(trips) <= 12
    assert len({group.pk for group in made}) == 1000
    assert Group.objects.using(alias).count() == 1000


def test_a_query_on_a_new_connection_is_one_round_trip(alias: str) -> None:
    for _ in range(2):
        connections[alias].close()
        connections[alias].health_check_done = False
        with counted_round_trips() as trips:
            connections[alias].close_if_unusable_or_obsolete()
            assert list(Group.objects.using(alias).filter(name="x")) == []
        assert len(trips) == 1


def test_a_connection_that_checks_its_health_asks_nothing(alias: str) -> None:
    connection = connections[alias]
    list(Group.objects.using(alias).all())
    connection.health_check_enabled, connection.health_check_done = True, False
    with counted_round_trips() as trips:
        connection.close_if_health_check_failed()
    assert trips == []

"""Transactions, locks and sudden death, on one file with several connections, threads and processes."""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import dedent
from threading import Barrier

import pytest
from django.db import DEFAULT_DB_ALIAS, IntegrityError, OperationalError, connections, transaction

from afn_project.libsql import dbapi

from .conftest import Connect, OpenDatabase

PROJECT = Path(__file__).resolve().parents[2]
ROUNDS = 60


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python process that runs `code`, which says when it is ready and then waits for a line."""
    return subprocess.Popen(
        [sys.executable, "-c", dedent(code), *arguments],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise AssertionError(f"The process did not start: {process.communicate()[1]}")


def increment(connection: dbapi.Connection) -> None:
    for _ in range(ROUNDS):
        connection.execute("BEGIN IMMEDIATE")
        row = connection.execute("SELECT n FROM counter").fetchone()
        assert row is not None
        connection.execute("UPDATE counter SET n = ?", [row[0] + 1])  # type: ignore[operator]
        connection.execute("COMMIT")


@pytest.fixture
def counter(connect: Connect) -> dbapi.Connection:
    connection = connect()
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE counter (n INTEGER)")
    connection.execute("INSERT INTO counter VALUES (0)")
    return connection


@pytest.fixture
def table(alias: str) -> str:
    """The alias of a database with an empty table t."""
    with connections[alias].cursor() as cursor:
        cursor.execute("CREATE TABLE t (a INTEGER UNIQUE)")
    return alias


def insert(alias: str, value: int) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (%s)", [value])


@contextmanager
def undone(alias: str) -> Iterator[None]:
    """An atomic block that fails at its end."""
    with suppress(ZeroDivisionError), transaction.atomic(using=alias):
        yield
        raise ZeroDivisionError


def stored(alias: str) -> list[int]:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT a FROM t ORDER BY a")
        return [value for (value,) in cursor.fetchall()]


def count(connection: dbapi.Connection) -> object:
    row = connection.execute("SELECT n FROM counter").fetchone()
    assert row is not None
    return row[0]


def test_it_is_another_database_than_the_projects_own(table: str) -> None:
    assert table != DEFAULT_DB_ALIAS


def test_a_transaction_is_kept_or_dropped_as_a_whole(table: str) -> None:
    with transaction.atomic(using=table):
        insert(table, 1)
        insert(table, 2)
    with undone(table):
        insert(table, 3)
    assert stored(table) == [1, 2]


def test_a_transaction_takes_the_write_lock_at_its_start(table: str, connect: Connect) -> None:
    other = connect(timeout=0.0)
    with (
        transaction.atomic(using=table),
        pytest.raises(dbapi.OperationalError, match="database is locked"),
    ):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")


def test_a_deferred_transaction_takes_no_lock_at_its_start(
    open_database: OpenDatabase, connect: Connect
) -> None:
    connections["deferred"] = open_database(transaction_mode="DEFERRED")
    try:
        with transaction.atomic(using="deferred"):
            other = connect(timeout=0.0)
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
    finally:
        del connections["deferred"]


def test_savepoints_nest(table: str) -> None:
    with transaction.atomic(using=table):
        insert(table, 1)
        with undone(table):
            insert(table, 2)
            with transaction.atomic(using=table):
                insert(table, 3)
        with transaction.atomic(using=table):
            insert(table, 4)
            with undone(table):
                insert(table, 5)
    assert stored(table) == [1, 4]


def test_a_broken_constraint_spoils_only_its_savepoint(table: str) -> None:
    with transaction.atomic(using=table):
        insert(table, 1)
        with pytest.raises(IntegrityError), transaction.atomic(using=table):
            insert(table, 1)
        insert(table, 2)
    assert stored(table) == [1, 2]


def test_a_marked_rollback_drops_the_transaction(table: str) -> None:
    with transaction.atomic(using=table):
        insert(table, 1)
        transaction.set_rollback(True, using=table)
    assert stored(table) == []


def test_without_autocommit_changes_wait_for_the_commit(table: str, connect: Connect) -> None:
    transaction.set_autocommit(False, using=table)
    insert(table, 1)
    assert connect().execute("SELECT count(*) FROM t").fetchone() == (0,)
    transaction.rollback(using=table)
    insert(table, 2)
    transaction.commit(using=table)
    transaction.set_autocommit(True, using=table)
    assert stored(table) == [2]


def test_a_reader_sees_the_last_committed_state(table: str, connect: Connect) -> None:
    insert(table, 1)
    reader = connect(timeout=0.0)
    with transaction.atomic(using=table):
        insert(table, 2)
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (1,)
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_a_lock_held_too_long_is_an_error_after_the_time_out(
    counter: dbapi.Connection, connect: Connect
) -> None:
    other = connect(timeout=0.1)
    counter.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    with pytest.raises(dbapi.OperationalError, match=r"^database is locked$") as caught:
        other.execute("UPDATE counter SET n = 1")
    assert 0.1 <= time.monotonic() - started < 2.0
    assert caught.value.sqlite_errorname == "SQLITE_BUSY"
    counter.execute("ROLLBACK")
    assert other.execute("UPDATE counter SET n = 1").rowcount == 1


def test_the_option_timeout_is_the_wait_for_a_lock(
    counter: dbapi.Connection, open_database: OpenDatabase
) -> None:
    database = open_database(timeout=0.1)
    counter.execute("BEGIN IMMEDIATE")
    with database.cursor() as cursor, pytest.raises(OperationalError, match="database is locked"):
        cursor.execute("UPDATE counter SET n = 1")


def test_a_lock_given_back_in_time_is_taken(
    counter: dbapi.Connection, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = connect(timeout=60)
    counter.execute("BEGIN IMMEDIATE")
    waits = []

    def give_back(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            counter.execute("COMMIT")

    monkeypatch.setattr(time, "sleep", give_back)
    other.execute("UPDATE counter SET n = 5")
    assert len(waits) == 3
    assert all(0 < seconds <= 0.05 for seconds in waits)
    assert count(counter) == 5


def test_two_processes_lose_no_increment(counter: dbapi.Connection, path: str) -> None:
    code = """
        import sys
        from afn_project.libsql import dbapi
        connection = dbapi.connect(sys.argv[1], timeout=60)
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(int(sys.argv[2])):
            connection.execute("BEGIN IMMEDIATE")
            n, = connection.execute("SELECT n FROM counter").fetchone()
            connection.execute("UPDATE counter SET n = ?", [n + 1])
            connection.execute("COMMIT")
        connection.close()
    """
    processes = [start(code, path, str(ROUNDS)) for _ in range(2)]
    for process in processes:
        wait_until_ready(process)
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert count(counter) == 2 * ROUNDS


def test_four_threads_lose_no_increment(counter: dbapi.Connection, path: str) -> None:
    together = Barrier(4, timeout=60)

    def work(_: int) -> None:
        connection = dbapi.connect(path, timeout=60)
        together.wait()
        increment(connection)
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert count(counter) == 4 * ROUNDS


def test_a_process_killed_inside_a_transaction_leaves_the_old_state(
    counter: dbapi.Connection, connect: Connect, path: str
) -> None:
    # The cache is so small that unfinished changes are already in the write-ahead log.
    code = """
        import sys
        from afn_project.libsql import dbapi
        connection = dbapi.connect(sys.argv[1])
        connection.execute("PRAGMA cache_size = 10")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE counter SET n = 99")
        connection.execute("CREATE TABLE half (a)")
        for _ in range(200):
            connection.execute("INSERT INTO half VALUES (randomblob(10000))")
        print("ready", flush=True)
        sys.stdin.readline()
    """
    counter.execute("UPDATE counter SET n = 7")
    process = start(code, path)
    wait_until_ready(process)
    assert Path(path + "-wal").stat().st_size > 1_000_000
    process.kill()
    process.communicate()

    survivor = connect(timeout=5.0)
    assert count(survivor) == 7
    assert survivor.execute("SELECT name FROM sqlite_master").fetchall() == [("counter",)]
    assert survivor.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert survivor.execute("UPDATE counter SET n = 8").rowcount == 1

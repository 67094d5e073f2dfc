"""What becomes of data and callers when the server dies, hangs, restarts or refuses in the middle of work."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from afn_project.libsql import dbapi, errors
from afn_project.libsql.hrana import NoAnswer, Stream
from afn_project.libsql.wire import Connection
from tests.servers import HOST, PROJECT, free_port
from tests.sqld import Sqld, company_sqld

from .counting import counted_round_trips

Connect = Callable[..., dbapi.Connection]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sqld]:
    """A server of the test's own, which may come to harm."""
    with company_sqld(tmp_path / "company") as running:
        running.create("main")
        yield running


@pytest.fixture
def connect(server: Sqld) -> Iterator[Connect]:
    opened: list[dbapi.Connection] = []

    def open_connection(timeout: float = 5.0) -> dbapi.Connection:
        opened.append(dbapi.connect(server.name("main"), auth_token=server.token(), timeout=timeout))
        return opened[-1]

    yield open_connection
    for connection in opened:
        connection.close()


@pytest.fixture
def remote(connect: Connect) -> dbapi.Connection:
    connection = connect()
    connection.execute("CREATE TABLE t (x)")
    return connection


def rows(connection: dbapi.Connection) -> list[object]:
    return [x for (x,) in connection.execute("SELECT x FROM t ORDER BY x").fetchall()]


def test_killed_in_a_transaction_all_of_it_is_rolled_back(remote: dbapi.Connection, server: Sqld) -> None:
    remote.execute("INSERT INTO t VALUES (0)")
    remote.execute("BEGIN IMMEDIATE")
    remote.execute("INSERT INTO t VALUES (1)")
    server.kill()
    server.start()
    with pytest.raises(errors.TransactionLost):
        remote.execute("INSERT INTO t VALUES (2)")
    with pytest.raises(errors.TransactionLost):  # and no later one slips through
        remote.execute("INSERT INTO t VALUES (3)")
    with pytest.raises(errors.TransactionLost):
        remote.commit()
    remote.rollback()
    assert rows(remote) == [0]


def test_what_is_kept_is_counted(remote: dbapi.Connection) -> None:
    driver = remote.driver
    assert driver.stored == 1  # the table
    for sql, stored in (
        ("SELECT 1", 1),
        ("INSERT INTO t VALUES (0)", 2),
        ("BEGIN", 2),
        ("SELECT x FROM t", 2),
        ("COMMIT", 2),
        ("BEGIN", 2),
        ("INSERT INTO t VALUES (1)", 2),
        ("SAVEPOINT s", 2),
        ("INSERT INTO t VALUES (2)", 2),
        ("ROLLBACK TO s", 2),
        ("COMMIT", 3),
        ("BEGIN", 3),
        ("INSERT INTO t VALUES (3)", 3),
        ("ROLLBACK", 3),
        ("SELECT 1", 3),
    ):
        remote.execute(sql)
        assert driver.stored == stored, sql
    with pytest.raises(dbapi.OperationalError):
        remote.execute("INSERT INTO nowhere VALUES (1)")
    assert driver.stored == 3


def test_killed_before_commit_the_fate_is_said_to_be_unknown(
    remote: dbapi.Connection, server: Sqld, connect: Connect
) -> None:
    hasty = connect(timeout=0.5)
    hasty.execute("BEGIN IMMEDIATE")
    hasty.execute("INSERT INTO t VALUES (1)")
    with server.paused(), pytest.raises(errors.OutcomeUnknown, match="COMMIT"):
        hasty.commit()
    hasty.rollback()
    assert rows(remote) in ([], [1])


def test_paused_longer_than_the_timeout(remote: dbapi.Connection, server: Sqld, connect: Connect) -> None:
    hasty = connect(timeout=0.5)
    with server.paused():
        with pytest.raises(errors.ConnectionLost, match="no answer in time"):
            hasty.execute("SELECT 1")
        with pytest.raises(errors.OutcomeUnknown, match="no answer in time"):
            hasty.execute("INSERT INTO t VALUES (1)")
    assert hasty.execute("SELECT 1").fetchone() == (1,)
    assert rows(hasty) in ([], [1])


def test_a_restart_between_two_statements_is_not_noticed(remote: dbapi.Connection, server: Sqld) -> None:
    remote.execute("INSERT INTO t VALUES (1)")
    server.stop()
    server.start()
    assert rows(remote) == [1]
    server.stop()
    server.start()
    remote.execute("INSERT INTO t VALUES (2)")
    assert rows(remote) == [1, 2]


def test_a_server_that_comes_back_between_two_tries_answers_a_read(
    remote: dbapi.Connection, server: Sqld, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.execute("INSERT INTO t VALUES (1)")
    server.kill()
    real, started = time.sleep, []

    def sleep(seconds: float) -> None:
        if started:  # the start waits with it, too
            real(seconds)
            return
        started.append(1)
        server.start()

    monkeypatch.setattr("afn_project.libsql.remote.time.sleep", sleep)
    assert rows(remote) == [1]


def test_a_server_that_dies_between_two_tries_is_named(
    remote: dbapi.Connection, server: Sqld, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, cut = Stream.pipeline, []

    def pipeline(self: Stream, requests: object, timeout: float) -> object:
        if not cut:
            cut.append(1)
            answer = real(self, requests, timeout)  # type: ignore[arg-type]
            self.hang_up()
            server.kill()
            raise NoAnswer(f"cut after {len(answer)} results")
        return real(self, requests, timeout)  # type: ignore[arg-type]

    monkeypatch.setattr(Stream, "pipeline", pipeline)
    with pytest.raises(errors.ServerUnreachable, match="Is the server running"):
        remote.execute("SELECT 1")


def test_no_acknowledged_row_is_lost_and_none_is_doubled(
    remote: dbapi.Connection, server: Sqld, connect: Connect
) -> None:
    """Four writers, one row or one batch at a time, through five kills in the middle of their requests."""
    acknowledged: list[int] = []
    unknown: list[int] = []
    is_over = threading.Event()

    def write(writer: int) -> None:
        connection = connect()
        number = writer * 1_000_000
        while not is_over.is_set():
            batch = [number := number + 1] if writer % 2 else [number := number + 1 for _ in range(20)]
            try:
                if writer % 2:
                    connection.execute("INSERT INTO t VALUES (?)", batch)
                else:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.cursor().executemany("INSERT INTO t VALUES (?)", [(one,) for one in batch])
                    connection.commit()
                acknowledged.extend(batch)
            except errors.OutcomeUnknown:
                unknown.extend(batch)
                connection.rollback()
            except sqlite3.OperationalError:
                connection.rollback()  # surely not stored
                time.sleep(0.01)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for _ in range(5):
        time.sleep(0.4)
        server.kill()
        server.start()
    time.sleep(0.4)
    is_over.set()
    for writer in writers:
        writer.join()
    stored = Counter(rows(connect()))
    assert len(acknowledged) > 100
    assert [one for one in acknowledged if not stored[one]] == []
    assert [one for one, times in stored.items() if times > 1] == []
    assert set(stored) <= set(acknowledged) | set(unknown)


@pytest.fixture
def lost_answers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The answer to the next request comes, and is lost; again once the list is cleared."""
    real = Connection.post
    lost: list[int] = []

    def post(self: Connection, *arguments: Any) -> tuple[int, bytes]:
        answer = real(self, *arguments)
        if not lost:
            lost.append(1)
            raise ConnectionResetError("cut")
        return answer

    monkeypatch.setattr(Connection, "post", post)
    return lost


def test_a_statement_whose_answer_is_lost_is_not_sent_again_if_it_writes(
    remote: dbapi.Connection, lost_answers: list[int]
) -> None:
    with pytest.raises(errors.OutcomeUnknown):
        remote.execute("INSERT INTO t VALUES (1)")
    assert rows(remote) == [1]
    lost_answers.clear()
    with counted_round_trips() as trips:
        assert rows(remote) == [1]
    assert len(trips) == 2


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1) RETURNING x",
        "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
        "WITH a AS (SELECT 1) DELETE FROM t WHERE x IN a",
        "/* SELECT */ UPDATE t SET x = x + 1",
        "PRAGMA user_version(5)",
        "EXPLAIN DELETE FROM t",
        "CREATE TABLE u (x)",
    ],
)
def test_whatever_may_write_is_sent_once(remote: dbapi.Connection, lost_answers: list[int], sql: str) -> None:
    with counted_round_trips() as trips, pytest.raises(errors.OutcomeUnknown):
        remote.execute(sql)
    assert len(trips) == 1


def test_rows_of_a_batch_whose_answer_is_lost_are_not_doubled(
    remote: dbapi.Connection, lost_answers: list[int]
) -> None:
    with pytest.raises(errors.OutcomeUnknown):
        remote.cursor().executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(600)])
    assert rows(remote) == list(range(500))  # the first of two batches


def test_a_commit_whose_answer_is_lost_is_sent_once(
    remote: dbapi.Connection, lost_answers: list[int]
) -> None:
    lost_answers.append(1)
    remote.execute("BEGIN IMMEDIATE")
    remote.execute("INSERT INTO t VALUES (1)")
    lost_answers.clear()
    with (
        counted_round_trips() as trips,
        pytest.raises(errors.OutcomeUnknown, match="as a whole or not at all"),
    ):
        remote.commit()
    assert len(trips) == 1
    remote.rollback()
    assert rows(remote) == [1]


def test_a_token_that_is_revoked_in_a_transaction_ends_it(remote: dbapi.Connection, server: Sqld) -> None:
    remote.execute("BEGIN IMMEDIATE")
    remote.execute("INSERT INTO t VALUES (1)")
    endpoint = remote.driver._pool.endpoint  # type: ignore[attr-defined]
    good = endpoint.headers["Authorization"]
    endpoint.headers["Authorization"] = f"Bearer {server.token(seconds=-3600)}"
    with pytest.raises(errors.AccessRefused, match="expired"):
        remote.commit()
    with pytest.raises(errors.TransactionLost):
        remote.execute("INSERT INTO t VALUES (2)")
    remote.rollback()
    endpoint.headers["Authorization"] = good
    assert rows(remote) == []


def test_a_lost_answer_to_the_first_statement_of_a_transaction_is_no_harm(
    remote: dbapi.Connection, lost_answers: list[int]
) -> None:
    remote.execute("BEGIN IMMEDIATE")
    remote.execute("INSERT INTO t VALUES (1)")
    remote.commit()
    assert rows(remote) == [1]


def test_another_writer_that_waits_long_ends_the_transaction_for_good(
    remote: dbapi.Connection, connect: Connect
) -> None:
    other = connect(timeout=15)
    remote.execute("BEGIN IMMEDIATE")
    remote.execute("INSERT INTO t VALUES (1)")
    other.execute("INSERT INTO t VALUES (2)")  # waits five seconds, then takes the lock
    with pytest.raises(errors.TransactionLost, match="5 s"):
        remote.execute("INSERT INTO t VALUES (3)")
    with pytest.raises(errors.TransactionLost):
        remote.execute("INSERT INTO t VALUES (4)")
    remote.rollback()
    assert rows(remote) == [2]


def test_an_idle_transaction_is_lost_and_an_idle_connection_is_not(remote: dbapi.Connection) -> None:
    remote.execute("BEGIN IMMEDIATE")
    remote.execute("INSERT INTO t VALUES (1)")
    time.sleep(12.5)
    with pytest.raises(errors.TransactionLost, match="atomic"):
        remote.execute("INSERT INTO t VALUES (2)")
    remote.rollback()
    time.sleep(12.5)
    assert rows(remote) == []


def test_a_full_server_is_waited_for_and_then_named(tmp_path: Path) -> None:
    with company_sqld(tmp_path / "small", "--max-concurrent-connections", "2") as server:
        server.create("main")
        held = []
        try:
            for _ in range(2):
                connection = dbapi.connect(server.name("main"), auth_token=server.token())
                connection.execute("BEGIN")
                connection.execute("SELECT 1")
                held.append(connection)
            third = dbapi.connect(server.name("main"), auth_token=server.token(), timeout=2)
            with pytest.raises(errors.TooManyConnections, match="DB_POOL_SIZE"):
                third.execute("SELECT 1")
        finally:
            for connection in held:
                connection.close()
        assert third.execute("SELECT 1").fetchone() == (1,)


ONE_QUERY = """
import sys
from afn_project.libsql import dbapi
connection = dbapi.connect(sys.argv[1], auth_token=sys.argv[2], timeout=5)
print(connection.execute("SELECT 1").fetchone())
"""


def test_a_process_that_ends_gives_its_connections_back(tmp_path: Path) -> None:
    with company_sqld(tmp_path / "small", "--max-concurrent-connections", "1") as server:
        server.create("main")
        for _ in range(3):
            done = subprocess.run(
                [sys.executable, "-c", ONE_QUERY, server.name("main"), server.token()],
                cwd=PROJECT,
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert (done.stdout, done.stderr) == ("(1,)\n", "")


def test_a_process_ends_soon_though_the_server_says_nothing(server: Sqld, connect: Connect) -> None:
    connections = [connect() for _ in range(4)]
    for connection in connections:
        connection.execute("BEGIN")
        connection.execute("SELECT 1")
    for connection in connections:
        connection.rollback()
    pool = connections[0].driver._pool  # type: ignore[attr-defined]
    assert len(pool._idle) == 4
    started = time.monotonic()
    with server.paused():
        pool.close()
    assert time.monotonic() - started < 1.5


def test_nobody_listens() -> None:
    started = time.monotonic()
    with pytest.raises(errors.ServerUnreachable, match="TURSO_DATABASE_URL") as caught:
        dbapi.connect(f"http://{HOST}:{free_port()}", auth_token="canary").execute("SELECT 1")
    assert "canary" not in str(caught.value)
    assert time.monotonic() - started < 3


class Elsewhere(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<h1>It works!</h1>")

    def log_message(self, *arguments: object) -> None: ...


def test_something_else_listens() -> None:
    with HTTPServer((HOST, 0), Elsewhere) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        with pytest.raises(errors.ConnectionLost, match="no libSQL server"):
            dbapi.connect(f"http://{HOST}:{site.server_port}").execute("SELECT 1")
        site.shutdown()

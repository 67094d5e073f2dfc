"""A server that follows another: how soon it has what was written, and what goes on with the primary dead."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from afn_project.libsql import dbapi, errors, replica
from afn_project.libsql.driver import Result
from tests.sqld import Sqld, company_sqld, sqld_replica


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[Sqld]:
    with company_sqld(tmp_path / "primary") as server:
        server.create("main")
        yield server


@pytest.fixture
def copy(tmp_path: Path, primary: Sqld) -> Iterator[Sqld]:
    with sqld_replica(tmp_path / "copy", primary) as server:
        yield server


@pytest.fixture
def writer(primary: Sqld) -> Iterator[dbapi.Connection]:
    connection = dbapi.connect(primary.name("main"), auth_token=primary.token())
    connection.execute("CREATE TABLE t (x)")
    yield connection
    connection.close()


@pytest.fixture
def on_copy(primary: Sqld, copy: Sqld, writer: dbapi.Connection) -> Iterator[dbapi.Connection]:
    """A connection that nobody but the copy answers, and that shows what has arrived there."""
    connection = dbapi.connect(copy.name("main"), auth_token=primary.token())
    until(lambda: _has_table(connection))
    yield connection
    connection.close()


@pytest.fixture
def reader(primary: Sqld, copy: Sqld, on_copy: dbapi.Connection) -> Iterator[dbapi.Connection]:
    connection = dbapi.connect_replica(
        copy.name("main"),
        {"database": primary.name("main"), "auth_token": primary.token()},
        auth_token=primary.token(),
    )
    assert count(connection) == 0
    yield connection
    connection.close()
    replica._failed_at.clear()


def count(connection: dbapi.Connection) -> Any:
    return connection.execute("SELECT count(*) FROM t").fetchall()[0][0]


def _has_table(connection: dbapi.Connection) -> bool:
    try:
        return count(connection) == 0
    except dbapi.OperationalError:  # neither the namespace nor the table has arrived
        return False


def until(condition: Any, seconds: float = 10.0) -> float:
    """Seconds until it holds."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds
        time.sleep(0.005)
    return time.monotonic() - started


def test_what_is_written_arrives_within_moments(writer: dbapi.Connection, reader: dbapi.Connection) -> None:
    for number in range(1, 6):
        writer.execute("INSERT INTO t VALUES (?)", (number,))
        until(lambda number=number: count(reader) == number, seconds=3)  # type: ignore[misc]


def test_with_the_primary_dead_reads_go_on_and_writes_fail_soon(
    writer: dbapi.Connection, reader: dbapi.Connection, on_copy: dbapi.Connection, primary: Sqld
) -> None:
    writer.execute("INSERT INTO t VALUES (1)")
    # On both connections: one may have begun before the row arrived.
    until(lambda: count(on_copy) == count(reader) == 1)
    primary.kill()
    assert count(reader) == 1
    started = time.monotonic()
    with pytest.raises(errors.ServerUnreachable):
        writer.execute("INSERT INTO t VALUES (2)")
    assert time.monotonic() - started < 3
    assert count(reader) == 1


def test_with_the_copy_dead_the_primary_answers_and_later_the_copy_again(
    writer: dbapi.Connection,
    reader: dbapi.Connection,
    primary: Sqld,
    copy: Sqld,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    writer.execute("INSERT INTO t VALUES (1)")
    copy.kill()
    assert count(reader) == 1
    assert "the primary answers" in caplog.text
    monkeypatch.setattr(replica, "REST", 0.0)
    copy.start()
    until(lambda: count(reader) == 1)
    time.sleep(1)  # a replica that has just started asks its primary until it has caught up
    primary.kill()  # so that only the copy is left to answer
    assert count(reader) == 1
    assert "can be read again" in caplog.text


def test_a_copy_is_never_written(reader: dbapi.Connection, writer: dbapi.Connection) -> None:
    for sql in (
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE u (x)",
        "WITH a AS (SELECT 1) DELETE FROM t",
    ):
        with pytest.raises(dbapi.OperationalError, match="readonly"):
            reader.execute(sql)
    with pytest.raises(dbapi.OperationalError, match="readonly"):
        reader.cursor().executescript("INSERT INTO t VALUES (1)")
    reader.execute("BEGIN")
    reader.commit()
    assert count(writer) == 0


class Scripted:
    """A driver that fails, or answers, as it is told."""

    timeout = 1.0

    def __init__(self, *answers: Exception | Result) -> None:
        self.answers = list(answers)

    def execute(self, sql: str, parameters: Any = ()) -> Result:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None: ...


def test_a_copy_that_fails_as_its_primary_dies_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that follows another may leave a question without an answer then, and answers the next."""
    monkeypatch.setattr(replica, "_failed_at", {})
    hung, refused = errors.ConnectionLost("no answer in time"), errors.ServerUnreachable("refused")
    row = Result(["x"], [(1,)], -1, None)
    copy = Scripted(hung, row, row, hung, hung)
    driver = replica.ReplicaDriver(replica.Copy("copy", lambda: copy), Scripted(refused, refused))  # type: ignore[arg-type, return-value]
    assert driver.execute("SELECT x FROM t") is row
    assert driver.execute("SELECT x FROM t") is row  # and is no longer left alone
    with pytest.raises(errors.ServerUnreachable, match="refused"):
        driver.execute("SELECT x FROM t")
    assert copy.answers == driver._primary.answers == []  # type: ignore[attr-defined]

"""The copy in a file: one process keeps it, others read it, and a kill at any moment harms nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from afn_project.libsql import dbapi, replica
from afn_project.libsql.dsn import parse_name
from afn_project.libsql.sync import AlreadySyncing, Syncer, is_current, read_status, sync_url
from tests.processes import MANAGE, clean_environment, manage
from tests.servers import Server, sqld_server

from .test_replica_server import count, until

READ = """
import sys, time
from afn_project.libsql import dbapi
reopen, end, counts = int(sys.argv[2]), time.monotonic() + float(sys.argv[3]), []
connection, turn = None, 0
while time.monotonic() < end:
    if turn % reopen == 0:
        if connection is not None:
            connection.close()
        connection = dbapi.connect(f"file:{sys.argv[1]}?mode=ro")
    turn += 1
    rows, total = connection.execute("SELECT count(*), coalesce(sum(x), 0) FROM t").fetchone()
    assert total == rows * (rows - 1) // 2, (rows, total)
    assert rows >= (counts or [0])[-1]
    counts.append(rows)
print(len(set(counts)), counts[-1])
"""


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[Server]:
    # Without namespaces: the binding cannot name one to a server that has only a number.
    with sqld_server(tmp_path) as server:
        yield server


@pytest.fixture
def writer(primary: Server) -> Iterator[dbapi.Connection]:
    connection = dbapi.connect(primary.url)
    connection.execute("CREATE TABLE t (x INTEGER, pad BLOB)")
    yield connection
    connection.close()
    replica._failed_at.clear()


def append(writer: dbapi.Connection, rows: int) -> None:
    """Numbers from 0 on, so that their sum tells whether a reader saw a whole state."""
    start = count(writer)
    writer.execute("BEGIN IMMEDIATE")
    writer.cursor().executemany(
        "INSERT INTO t VALUES (?, randomblob(300))", [(start + number,) for number in range(rows)]
    )
    writer.commit()


def test_the_file_follows_the_server(tmp_path: Path, primary: Server, writer: dbapi.Connection) -> None:
    file = tmp_path / "copy.db"
    with Syncer(file, parse_name(primary.url), "") as syncer:
        append(writer, 10)
        status = syncer.sync()
        reader = dbapi.connect(f"file:{file}?mode=ro")
        assert count(reader) == 10
        append(writer, 5)
        assert syncer.sync().began >= status.ended
        assert count(reader) == 15
        reader.close()
    assert read_status(file) is not None
    assert is_current(file)
    assert file.stat().st_mode & 0o777 == 0o600


def test_only_one_process_copies_into_a_file(tmp_path: Path, primary: Server) -> None:
    with (
        Syncer(tmp_path / "copy.db", parse_name(primary.url), ""),
        pytest.raises(AlreadySyncing),
        Syncer(tmp_path / "copy.db", parse_name(primary.url), ""),
    ):
        pass


def test_readers_in_other_processes_always_see_a_whole_state(
    tmp_path: Path, primary: Server, writer: dbapi.Connection
) -> None:
    file = tmp_path / "copy.db"
    append(writer, 10)
    with Syncer(file, parse_name(primary.url), "") as syncer:
        syncer.sync()
        readers = [
            subprocess.Popen(
                [sys.executable, "-c", READ, str(file), reopen, "3"], stdout=subprocess.PIPE, text=True
            )
            for reopen in ("1", "1000000")
        ]
        while any(reader.poll() is None for reader in readers):
            append(writer, 20)
            syncer.sync()
    for reader in readers:
        output, _ = reader.communicate()
        assert reader.returncode == 0
        assert int(output.split()[0]) > 5  # it saw the file change under it
    connection = dbapi.connect(f"file:{file}?mode=ro")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert count(connection) == count(writer)
    connection.close()


def environment(tmp_path: Path, primary: Server) -> dict[str, str]:
    return {
        "TURSO_SYNC_URL": primary.url,
        "AFN_REPLICA_FILE": str(tmp_path / "copy.db"),
        "AFN_DATABASE_FILE": str(tmp_path / "afn.db"),
    }


@contextmanager
def syncing(variables: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The command in a process, which is killed in the end."""
    process = subprocess.Popen(
        [*MANAGE, "sync_replica", "--interval", "0.05"],
        env=clean_environment(SECRET_KEY="k" * 50, **variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_syncer_that_is_killed_again_and_again_leaves_a_good_copy(
    tmp_path: Path, primary: Server, writer: dbapi.Connection
) -> None:
    file = tmp_path / "copy.db"
    append(writer, 1)
    for _ in range(4):
        with syncing(environment(tmp_path, primary)):
            started = time.monotonic()
            while time.monotonic() - started < 1.5:
                append(writer, 200)
    with Syncer(file, parse_name(primary.url), "") as syncer:
        syncer.sync()
    connection = dbapi.connect(f"file:{file}?mode=ro")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert count(connection) == count(writer)
    connection.close()


def test_the_command_follows_through_a_restart_of_the_server_and_ends_on_a_signal(
    tmp_path: Path, primary: Server, writer: dbapi.Connection
) -> None:
    file = tmp_path / "copy.db"
    append(writer, 3)
    with syncing(environment(tmp_path, primary)) as process:
        until(lambda: read_status(file) is not None, seconds=30)
        second = manage("sync_replica", "--once", **environment(tmp_path, primary))
        assert second.returncode == 1
        assert "one for each file is enough" in second.stderr
        told = json.loads(
            manage("sync_replica", "--status", "--json", **environment(tmp_path, primary)).stdout
        )
        assert told["process"] == process.pid
        assert 0 <= told["lag"] < 30
        primary.stop()
        assert process.stderr is not None
        assert "is tried again" in process.stderr.readline()
        primary.start()
        append(writer, 4)
        connection = dbapi.connect(f"file:{file}?mode=ro")
        until(lambda: count(connection) == 7, seconds=20)
        connection.close()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0
        assert errors == "The server can be copied again.\n"
        assert not (tmp_path / "afn.db").exists()


def test_a_server_that_says_nothing_ends_the_command(tmp_path: Path, primary: Server) -> None:
    with primary.paused():
        done = manage("sync_replica", "--patience", "1", **environment(tmp_path, primary))
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert manage("sync_replica", "--once", **environment(tmp_path, primary)).returncode == 0


def test_a_copy_that_was_only_begun_is_made_anew(
    tmp_path: Path, primary: Server, writer: dbapi.Connection
) -> None:
    file = tmp_path / "copy.db"
    file.touch()
    append(writer, 3)
    reader = dbapi.connect_replica(f"file:{file}?mode=ro", {"database": primary.url})
    for rows in (3, 4):
        with Syncer(file, parse_name(primary.url), "") as syncer:
            syncer.sync()
        primary_before = count(writer)
        assert count(reader) == primary_before == rows
        append(writer, 1)
        Path(f"{file}-client_wal_index").unlink()
    reader.close()


def test_with_the_primary_gone_the_copy_is_read_and_with_the_copy_gone_the_primary(
    tmp_path: Path, primary: Server, writer: dbapi.Connection
) -> None:
    file = tmp_path / "copy.db"
    append(writer, 3)
    reader = dbapi.connect_replica(f"file:{file}?mode=ro", {"database": primary.url})
    assert count(reader) == 3  # there is no copy yet
    with Syncer(file, parse_name(primary.url), "") as syncer:
        syncer.sync()
    append(writer, 1)
    assert count(reader) == 3  # it is the copy that is read
    old = time.time() - 3600
    os.utime(f"{file}.status", (old, old))
    assert count(reader) == 4  # nobody keeps the copy any more
    primary.kill()
    assert count(reader) == 3
    reader.close()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("libsql://db-org.turso.io", "https://db-org.turso.io"),
        ("https://db.example.org?namespace=prod", "https://prod.db.example.org"),
        ("http://localhost:8080?namespace=prod", "http://prod.localhost:8080"),
        ("http://prod.example.org:80?namespace=prod", "http://prod.example.org:80"),
    ],
)
def test_the_namespace_becomes_part_of_the_servers_name(name: str, expected: str) -> None:
    assert sync_url(parse_name(name)) == expected


def test_a_server_with_only_a_number_has_no_namespaces_to_copy() -> None:
    with pytest.raises(Exception, match=r"10\.0\.0\.1 is a number"):
        sync_url(parse_name("http://10.0.0.1?namespace=prod"))


def test_without_a_server_the_command_says_what_is_missing(tmp_path: Path) -> None:
    done = manage("sync_replica", AFN_DATABASE_FILE=str(tmp_path / "afn.db"))
    assert done.returncode == 1
    assert "TURSO_SYNC_URL is not set" in done.stderr


@pytest.mark.parametrize("interval", ["0", "-1", "nan"])
def test_an_interval_that_cannot_be_meant_is_refused(tmp_path: Path, primary: Server, interval: str) -> Any:
    done = manage("sync_replica", "--interval", interval, **environment(tmp_path, primary))
    assert done.returncode == 1
    assert "--interval: expected 0.05 seconds or more" in done.stderr

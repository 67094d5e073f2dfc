"""Servers and proxies that mean ill or are confused: no token leaves, and nothing is stored in part."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.views.debug import ExceptionReporter

from afn_project.libsql import dbapi, errors, hrana, wire
from afn_project.libsql.hrana import NoAnswer, Stream, _may_follow
from tests.servers import HOST, PROJECT
from tests.sqld import Sqld

from .conftest import Connect

CANARY = "eyJ.canary-token"
RESULT = (
    b'{"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"x"}],"rows":[[{"type":"integer",'
    b'"value":"1"}]],"affected_row_count":0,"last_insert_rowid":null}}}'
)


class Impostor(ThreadingHTTPServer):
    """Answers each POST with ``status``, ``head`` and ``body``; keeps the tokens that it was sent."""

    daemon_threads = True
    status, body = 200, b""

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Handler)
        self.head: dict[str, str] = {}
        self.tokens: list[str] = []

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Impostor

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tokens.append(self.headers["Authorization"])
        self.send_response(self.server.status)
        for name, value in {"Content-Length": str(len(self.server.body)), **self.server.head}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def start() -> Iterator[Callable[[], Impostor]]:
    started: list[Impostor] = []

    def start_one() -> Impostor:
        started.append(Impostor())
        threading.Thread(target=started[-1].serve_forever, daemon=True).start()
        return started[-1]

    yield start_one
    for one in started:
        one.shutdown()
        one.server_close()


@pytest.fixture
def impostor(start: Callable[[], Impostor]) -> Impostor:
    return start()


def connected(server: Impostor) -> dbapi.Connection:
    return dbapi.connect(server.url, auth_token=CANARY, timeout=2.0)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(start: Callable[[], Impostor], status: int) -> None:
    first, second = start(), start()
    first.status, first.head = status, {"Location": f"{second.url}/v3/pipeline"}
    with pytest.raises(errors.Redirected, match="https://"):
        connected(first).execute("INSERT INTO t VALUES (1)")
    assert (len(first.tokens), second.tokens) == (1, [])


def test_a_stream_is_not_moved_to_another_host(start: Callable[[], Impostor]) -> None:
    first, second = start(), start()
    elsewhere = f"http://localhost:{second.server_port}"
    first.body = b'{"baton":"b","base_url":"%s","results":[%s]}' % (elsewhere.encode(), RESULT)
    connection = connected(first)
    for _ in range(2):
        with pytest.raises(errors.ConnectionLost, match="another domain"):
            connection.execute("SELECT 1")
    assert second.tokens == []


def test_a_stream_is_moved_within_its_host_and_the_next_one_begins_at_home(
    start: Callable[[], Impostor],
) -> None:
    first, second = start(), start()
    first.body = b'{"baton":"b","base_url":"%s","results":[%s]}' % (second.url.encode(), RESULT)
    second.body = b'{"baton":null,"base_url":null,"results":[%s]}' % RESULT
    connection = connected(first)
    for _ in range(3):  # the second server ends the stream
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert (len(first.tokens), len(second.tokens)) == (2, 1)


@pytest.mark.parametrize(
    ("home", "other", "follows"),
    [
        ("https://db.example.org", "https://db.example.org:8443", True),
        ("https://db.example.org", "https://eu-1.db.example.org", True),
        ("https://db-org.turso.io", "https://ams-7.turso.io", True),
        ("https://db.example.org", "http://db.example.org", False),
        ("https://db.example.org", "https://other.example.org", False),
        ("https://db.company.co.uk", "https://evil.co.uk", False),
        ("https://db.example.org", "https://evildb.example.org", False),
        ("https://db.example.org", "https://db.example.org@evil.example", False),
        ("https://db-org.turso.io", "https://evilturso.io", False),
        ("http://10.0.0.1", "http://66.66.0.1", False),
    ],
)
def test_which_address_may_get_the_token_of_another(home: str, other: str, follows: bool) -> None:
    assert _may_follow(urlsplit(home), urlsplit(other)) is follows


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"7",
        b'{"baton":null}',
        b'{"baton":null,"results":[]}',
        b'{"baton":null,"results":null}',
        b'{"baton":null,"base_url":5,"results":[%s]}' % RESULT,
        b'{"baton":null,"base_url":"http://127.0.0.1:x","results":[%s]}' % RESULT,
        b"[" * 100_000,
        b"\xff\xfe",
        b"\x1f\x8b compressed, which nobody asked for",
    ],
    ids=lambda body: body[:30].decode("latin-1"),
)
def test_an_answer_that_is_none_is_typed_and_a_write_is_not_repeated(impostor: Impostor, body: bytes) -> None:
    impostor.body = body
    connection = connected(impostor)
    with pytest.raises(errors.ConnectionLost, match="no libSQL server"):
        connection.execute("SELECT 1")
    impostor.tokens.clear()
    with pytest.raises(errors.OutcomeUnknown, match="no libSQL server"):
        connection.execute("INSERT INTO t VALUES (1)")
    assert len(impostor.tokens) == 1


def test_an_answer_that_breaks_off_is_no_answer(impostor: Impostor) -> None:
    impostor.body, impostor.head = b'{"baton":null,', {"Content-Length": "1000", "Connection": "close"}
    with pytest.raises(errors.OutcomeUnknown):
        connected(impostor).execute("INSERT INTO t VALUES (1)")
    assert len(impostor.tokens) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_proxys_error_leaves_the_fate_of_a_write_unknown(impostor: Impostor, status: int) -> None:
    impostor.status, impostor.body = status, f"no upstream; you sent {CANARY}".encode()
    with pytest.raises(errors.OutcomeUnknown, match="no upstream") as caught:
        connected(impostor).execute("INSERT INTO t VALUES (1) RETURNING x")
    assert len(impostor.tokens) == 1
    assert CANARY not in str(caught.value)


def test_a_request_that_a_proxy_finds_too_large_is_a_data_error(impostor: Impostor) -> None:
    impostor.status = 413
    with pytest.raises(dbapi.DataError, match="too big"):
        connected(impostor).execute("INSERT INTO t VALUES (1)")


def test_a_server_that_hangs_up_after_each_answer_is_called_again(impostor: Impostor) -> None:
    impostor.body, impostor.head = b'{"baton":"b","results":[%s]}' % RESULT, {"Connection": "close"}
    connection = connected(impostor)
    for _ in range(3):
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    "state",
    [b'{"type":"error","error":{"message":"canary"}}', b'{"type":"ok","response":{}}', b'{"type":"ok"}'],
)
def test_a_transaction_of_unknown_state_is_lost(impostor: Impostor, state: bytes) -> None:
    impostor.body = b'{"baton":"b","results":[%s,%s]}' % (RESULT, state)
    connection = connected(impostor)
    connection.execute("BEGIN")
    with pytest.raises(errors.ConnectionLost, match="does not tell"):
        connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(errors.TransactionLost):
        connection.execute("INSERT INTO t VALUES (2)")
    connection.rollback()


def test_an_endless_answer_is_given_up(remote: dbapi.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST_ANSWER", 1000)
    with pytest.raises(errors.ConnectionLost, match="more than"):
        remote.execute("SELECT hex(randomblob(1000))")
    assert remote.execute("SELECT 1").fetchone() == (1,)


def test_a_transaction_whose_stream_is_closed_is_not_stored_in_part(
    remote: dbapi.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Stream.pipeline

    def pipeline(self: Stream, requests: Sequence[Any], timeout: float) -> list[Any]:
        results = real(self, requests, timeout)
        self._baton = None  # as if the server had said so
        return results

    remote.execute("BEGIN IMMEDIATE")
    with monkeypatch.context() as patch:
        patch.setattr(Stream, "pipeline", pipeline)
        remote.execute("INSERT INTO t (x) VALUES (1)")
    for sql in ("INSERT INTO t (x) VALUES (2)", "COMMIT"):
        with pytest.raises(errors.TransactionLost):
            remote.execute(sql)
    remote.rollback()
    assert remote.execute("SELECT x FROM t").fetchall() == []


@pytest.mark.parametrize("end", ["\n", "\r\nX-Evil: 1", " x", "\0", "日"])
def test_a_token_cannot_add_to_the_request(impostor: Impostor, end: str) -> None:
    with pytest.raises(errors.AccessRefused, match="TURSO_AUTH_TOKEN") as caught:
        dbapi.connect(impostor.url, auth_token=CANARY + end).execute("SELECT 1")
    assert CANARY not in str(caught.value)
    assert impostor.tokens == []


@pytest.mark.parametrize("cause", [ConnectionResetError("cut"), KeyboardInterrupt()])
def test_an_error_page_does_not_show_the_token(
    impostor: Impostor, monkeypatch: pytest.MonkeyPatch, cause: BaseException
) -> None:
    real = wire.Connection._head

    def head(self: wire.Connection, *arguments: Any) -> bytes:
        sent = real(self, *arguments)
        assert CANARY.encode() in sent
        raise cause

    monkeypatch.setattr(wire.Connection, "_head", head)
    with pytest.raises((errors.OutcomeUnknown, KeyboardInterrupt)) as caught:
        connected(impostor).execute("INSERT INTO t VALUES (1)")
    page = ExceptionReporter(None, caught.type, caught.value, caught.tb).get_traceback_html()
    assert "_exchange" in page
    assert CANARY not in page


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".example", "a b"])
def test_a_name_that_no_host_has_is_unreachable(host: str) -> None:
    with pytest.raises(errors.ServerUnreachable, match="TURSO_DATABASE_URL"):
        dbapi.connect(f"http://{host}:1").execute("SELECT 1")


def test_a_busy_server_does_not_leave_a_lone_statement_in_a_transaction(impostor: Impostor) -> None:
    impostor.body = (
        b'{"baton":"b","base_url":null,"results":[{"type":"error","error":{"message":"busy",'
        b'"code":"TRANSACTION_BUSY"}},{"type":"ok","response":{"type":"get_autocommit","is_autocommit":true}}]}'
    )
    connection = connected(impostor)
    with pytest.raises(errors.TransactionLost):
        connection.execute("INSERT INTO t VALUES (1)")
    assert not connection.in_transaction


def test_a_stream_that_cannot_be_closed_gives_its_place_back(
    remote: dbapi.Connection, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = remote.driver._pool  # type: ignore[attr-defined]
    stream = pool.acquire()
    before = pool._count

    def pipeline(self: Stream, *arguments: object) -> list[Any]:
        raise dbapi.DataError("whatever")

    with monkeypatch.context() as patch:
        patch.setattr(Stream, "pipeline", pipeline)
        stream._baton = "b"
        pool.discard(stream)
    assert pool._count == before - 1


def test_a_moved_stream_in_a_transaction_is_lost(impostor: Impostor) -> None:
    stream = Stream(hrana.Endpoint(impostor.url, auth_token=CANARY))
    stream._baton = "b"
    with pytest.raises(NoAnswer, match="another domain"):
        stream._move("http://evil.example/")
    assert not stream.is_open


FORK = """
import os, sys
from afn_project.libsql import dbapi, errors
connection = dbapi.connect(sys.argv[1], auth_token=sys.argv[2])
idle = dbapi.connect(sys.argv[1], auth_token=sys.argv[2])
idle.execute("SELECT 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("INSERT INTO t (x) VALUES ('parent')")
pool = connection.driver._pool
pool._free.acquire()  # as another thread may, at the moment of the fork
child = os.fork()
if not child:
    status = 1
    try:
        try:
            connection.execute("INSERT INTO t (x) VALUES ('child')")
        except errors.TransactionLost as error:
            assert "forked" in str(error)
            connection.rollback()
            for one in (idle, connection):
                assert one.execute("SELECT count(*) FROM t").fetchone() == (0,)
            connection.close()
            assert 0 <= pool._count <= 2, pool._count
            status = 0
    finally:
        os._exit(status)
pool._free.release()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
connection.execute("INSERT INTO t (x) VALUES ('parent')")
connection.commit()
print(idle.execute("SELECT group_concat(x) FROM t").fetchone()[0])
"""


def test_a_forked_child_leaves_the_parents_streams_and_transaction_alone(
    remote: dbapi.Connection, server: Sqld, namespace: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK, server.name(namespace), server.token()],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("parent,parent\n", "")

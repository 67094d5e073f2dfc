"""HTTP as servers and proxies really send it, and as they should not."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from urllib.parse import urlsplit

import pytest

from afn_project.libsql import wire
from tests.servers import HOST

Serve = Callable[..., wire.Connection]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A connection to a server that answers each request with the next of `answers`, packet by packet."""
    listening = socket.create_server((HOST, 0))
    opened: list[wire.Connection] = []
    stop = threading.Event()

    def run(answers: list[list[bytes]], pause: float) -> None:
        with suppress(OSError), closing(listening.accept()[0]) as client:
            for packets in answers:
                if not client.recv(65_536):
                    return
                for packet in packets:
                    client.sendall(packet)
                    stop.wait(pause)

    def connect(*answers: list[bytes], pause: float = 0.0) -> wire.Connection:
        threading.Thread(target=run, args=(list(answers), pause), daemon=True).start()
        opened.append(wire.Connection(urlsplit(f"http://{HOST}:{listening.getsockname()[1]}"), 5.0))
        return opened[-1]

    yield connect
    stop.set()
    for connection in opened:
        connection.close()
    listening.close()


def post(connection: wire.Connection, timeout: float = 5.0) -> tuple[int, bytes]:
    return connection.post("/", {}, b"{}", timeout)


@pytest.mark.parametrize(
    "packets",
    [
        [HEAD + b"hello"],
        [HEAD[:9], HEAD[9:30], HEAD[30:] + b"he", b"llo"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n", b"3\r\nllo\r\n0\r\n\r\n"],
        [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", HEAD + b"hello"],
    ],
)
def test_an_answer_comes_in_any_pieces_and_its_connection_is_kept(serve: Serve, packets: list[bytes]) -> None:
    connection = serve(packets, [HEAD + b"again"])
    assert post(connection) == (200, b"hello")
    assert connection.is_usable
    assert post(connection) == (200, b"again")


def test_an_answer_without_a_length_ends_with_its_connection(serve: Serve) -> None:
    connection = serve([b"HTTP/1.1 502 Bad Gateway\r\n\r\nhe", b"llo"])
    assert post(connection) == (502, b"hello")
    assert not connection.is_usable


def test_a_connection_that_is_to_be_closed_is_not_used_again(serve: Serve) -> None:
    connection = serve([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"])
    assert post(connection) == (200, b"hello")
    assert not connection.is_usable


@pytest.mark.parametrize(
    "sent",
    [b"", HEAD + b"hel", HEAD[:20], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"],
)
def test_an_answer_that_is_cut_off_is_none(serve: Serve, sent: bytes) -> None:
    connection = serve([sent])
    with pytest.raises(ConnectionError):
        post(connection)
    assert not connection.is_usable


@pytest.mark.parametrize(
    "sent",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        HEAD + b"hello" + HEAD + b"hello",  # the second one would be taken for the next request's
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nhello",
    ],
)
def test_what_is_not_one_answer_is_refused(serve: Serve, sent: bytes) -> None:
    connection = serve([sent])
    with pytest.raises(wire.BadAnswer):
        post(connection)
    assert not connection.is_usable


def test_an_answer_that_trickles_is_given_up_in_time(serve: Serve) -> None:
    connection = serve([HEAD, b"h", b"e", b"l", b"l", b"o"], pause=0.2)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        post(connection, timeout=0.5)
    assert time.monotonic() - started < 1.0


def test_an_answer_without_an_end_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST_ANSWER", 1000)
    chunk = b"3e8\r\n" + b"x" * 1000 + b"\r\n"
    connection = serve([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk, chunk, chunk])
    with pytest.raises(wire.BadAnswer, match="more than"):
        post(connection)

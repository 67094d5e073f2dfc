"""HTTP/1.1 as a database needs it: one POST at a time on a connection that is kept.

The standard library's client sends head and body apart and reads the head of an answer as an e-mail: half of
the time of a small query. Here a request leaves in one piece, and httptools (llhttp, the parser of Node.js)
reads what comes.
"""

import select
import socket
import ssl
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult

import httptools

LARGEST_ANSWER = 100 * 2**20  # bytes; 10 MB of values are at most some 60 MB of JSON
_PACKET = 2**18
_PORTS = {"http": 80, "https": 443}


class BadAnswer(Exception):
    """What came is no HTTP, or more than an answer may be."""


class Connection:
    """A connection to the server of a URL; opened at once, within ``timeout`` seconds.

    Raises ``OSError``, or ``ValueError`` for a host or port that cannot be.
    """

    def __init__(self, base: SplitResult, timeout: float) -> None:
        host = base.hostname or ""
        self._authority = base.netloc.rpartition("@")[2]
        self._is_kept = True
        self._sock = socket.create_connection((host, base.port or _PORTS[base.scheme]), timeout)
        try:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if base.scheme == "https":
                self._sock = tls().wrap_socket(self._sock, server_hostname=host)
        except BaseException:
            self._sock.close()
            raise

    @property
    def is_usable(self) -> bool:
        """Whether another request may be sent. An idle connection with something to read has been closed."""
        return self._is_kept and not _is_readable(self._sock)

    def post(self, path: str, headers: Mapping[str, str], body: bytes, timeout: float) -> tuple[int, bytes]:
        """Send a request, and read the status and the body of its answer, all of it within ``timeout``.

        Raises ``OSError`` (``TimeoutError`` among them) or ``BadAnswer``; the connection is then good for
        nothing more. `headers` are taken as they are: the caller has seen that they are one line each.
        """
        end = time.monotonic() + timeout
        self._is_kept = False
        self._sock.settimeout(timeout)
        self._sock.sendall(self._head(path, headers, len(body)) + body)
        answer = _Answer()
        while not answer.is_complete:
            if (left := end - time.monotonic()) <= 0:
                raise TimeoutError
            self._sock.settimeout(left)
            answer.feed(self._sock.recv(_PACKET))
        self._is_kept = answer.keeps_connection
        return answer.status, answer.body

    def close(self) -> None:
        self._is_kept = False
        self._sock.close()

    def _head(self, path: str, headers: Mapping[str, str], length: int) -> bytes:
        fields = {"Host": self._authority, "Content-Length": str(length), **headers}
        # str.__str__ reads a secret, which else shows itself as asterisks.
        lines = [f"{name}: {str.__str__(value)}\r\n" for name, value in fields.items()]
        return f"POST {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode("latin-1")


class _Answer:
    """One answer as it comes in; the parser calls the methods that begin with ``on_``."""

    def __init__(self) -> None:
        self.is_complete = False
        self.keeps_connection = False
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._size = 0
        self._has_head = self._has_end = self._has_surplus = False

    @property
    def status(self) -> int:
        return int(self._parser.get_status_code())

    @property
    def body(self) -> bytes:
        return b"".join(self._parts)

    def feed(self, data: bytes) -> None:
        """Take what was received; nothing means that the server has closed the connection."""
        if not data:
            if not self._has_head or self._has_end:
                raise ConnectionError("the connection was closed before the answer was complete")
            self.is_complete = True  # an answer without a length ends with its connection
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise BadAnswer("what answers there does not speak HTTP") from error
        if self._size > LARGEST_ANSWER:
            raise BadAnswer(f"more than {LARGEST_ANSWER >> 20} MB came")
        if self._has_surplus:
            raise BadAnswer("more came than was asked for")

    def on_message_begin(self) -> None:
        self._has_surplus = self.is_complete

    def on_header(self, name: bytes, value: bytes) -> None:
        self._has_end |= name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        self._has_head = self.status >= 200

    def on_body(self, part: bytes) -> None:
        self._size += len(part)
        self._parts.append(part)

    def on_message_complete(self) -> None:
        if self.status < 200:  # an interim answer: the real one follows
            self._has_end = False
            return
        self.is_complete = True
        self.keeps_connection = bool(self._parser.should_keep_alive())


@lru_cache(maxsize=1)
def tls() -> ssl.SSLContext:
    """Certificates are verified; SSL_CERT_FILE names an authority of one's own."""
    return ssl.create_default_context()


def _is_readable(sock: Any) -> bool:
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])

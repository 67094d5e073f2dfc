"""The one gate for every URL that AFN calls on behalf of somebody: webhooks, judges, embedders, Clerk.

    with outgoing.client(timeout=5.0, field="url") as client, client.stream("GET", url) as response:
        body = outgoing.read_bounded(response, 65_536)

Whoever writes such a URL decides where this server connects to, from inside its network. So: https only, no
credentials in the URL, only addresses of the public internet, no redirects, no proxy, an end to the waiting
and to the size. AFN_OUTGOING_ALLOWED lists what the operator allows besides (`vectors.outgoing_hosts`).
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from ipaddress import IPv4Address
from typing import Final

import httpcore2
import httpx2

from vectors.errors import OutgoingRefused, shown
from vectors.outgoing_hosts import Address, is_loopback_name, read_host
from vectors.outgoing_network import Backend, Resolver, hint_for, operators_list, resolve, until

MAX_URL: Final = 2_048
MAX_BYTES: Final = 1_000_000
_PORTS: Final = {"https": 443, "http": 80}
_CONNECTIONS: Final = 20
_KEPT_SECONDS: Final = 5.0


class AnswerTooLarge(httpx2.ReadError):
    """More bytes than the caller reads."""


class AnswerEncoded(httpx2.DecodingError):
    """A packed body, which was not asked for: a few of its bytes may stand for gigabytes."""


UNREADABLE: Final = (AnswerTooLarge, AnswerEncoded)


def check_url(url: str, field: str) -> None:
    """Is this a URL that AFN would call? For the moment at which somebody saves one.

    Raises OutgoingRefused, which names `field` and quotes nothing of the URL. No name is looked up: what it
    leads to counts when it is called, and the answer would tell who asks about names of the inner network.
    """
    if not isinstance(url, str) or not 0 < len(url) <= MAX_URL:
        raise OutgoingRefused(field, f"a URL of at most {MAX_URL} characters", "none, or a longer one")
    # Readers disagree about these; httpx would take a backslash for a part of the user name.
    if "\\" in url or not url.isprintable() or " " in url:
        raise OutgoingRefused(
            field, "a URL without spaces, backslashes and control characters", "one of these"
        )
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        raise OutgoingRefused(field, "a URL such as https://example.org/path", "something else") from None
    _check(parsed, field)


def client(
    *,
    timeout: float,
    deadline: float | None = None,
    max_bytes: int = MAX_BYTES,
    field: str = "url",
    lookup: Resolver = resolve,
    tls: ssl.SSLContext | None = None,
) -> httpx2.Client:
    """A client that calls what `check_url` accepts and nothing else; close it, or use it in `with`.

    `timeout` is in seconds for each step, `deadline` (default: the same) for a request from its start to the
    last byte of its answer, lookup included. Its methods raise OutgoingRefused, or httpx2.HTTPError; among
    these AnswerTooLarge past `max_bytes`, also of a body that is read later. `describe` puts both into words.
    A redirect is an answer like others. `lookup` and `tls` are for tests.
    """
    return httpx2.Client(
        transport=_Gate(timeout if deadline is None else deadline, max_bytes, field, lookup, tls),
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,  # a proxy would look names up itself; .netrc has passwords
    )


def read_bounded(response: httpx2.Response, max_bytes: int) -> bytes:
    """The body of a streamed response; raises AnswerTooLarge once it is longer, and what reading does."""
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > max_bytes:
            response.close()
            raise AnswerTooLarge(f"The answer is longer than {max_bytes} bytes.")
        parts.append(part)
    return b"".join(parts)


def describe(error: Exception) -> str:
    """What went wrong, as a short text for who gave the URL: no addresses, headers or pieces of a body."""
    if isinstance(error, OutgoingRefused):
        return f"expected {error.expected}, got {error.got}"
    if isinstance(error, UNREADABLE):
        return str(error)
    if isinstance(error, httpx2.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx2.ConnectError):
        return f"no connection: {shown(str(error))}"
    if isinstance(error, httpx2.LocalProtocolError):
        return "it could not be sent"  # the text may quote a header
    if isinstance(error, httpx2.RemoteProtocolError | httpx2.DecodingError):
        return "an answer that is not HTTP as it should be"
    if isinstance(error, httpx2.NetworkError):
        return "the connection was lost"
    return type(error).__name__


def excerpt(body: bytes) -> str:
    """The start of a body for an error message: at most 120 characters, nothing unprintable."""
    return shown(body[:500].decode("utf-8", "replace"))


def _check(url: httpx2.URL, field: str) -> None:
    """The rules that need no lookup, for a URL as it will be called."""
    if url.scheme not in _PORTS or not url.host:
        raise OutgoingRefused(field, "a URL such as https://example.org/path", "another scheme, or no host")
    if url.userinfo:
        raise OutgoingRefused(field, "a URL without user name and password", "one with them")
    if url.port is not None and not 1 <= url.port <= 65_535:
        raise OutgoingRefused(field, "a port from 1 to 65535", str(url.port))
    host, port = url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
    address = _literal(host, field)
    permitted = operators_list()
    is_allowed = permitted.has_name(host, port) or (
        address is not None and permitted.has_address(address, port)
    )
    if url.scheme == "http" and not is_allowed:
        raise OutgoingRefused(field, "a URL with https://", "one with http://", hint_for(host, port))
    if address is None and is_loopback_name(host):
        address = IPv4Address("127.0.0.1")
    if address is not None and not permitted.may_reach(address, host, port):
        raise OutgoingRefused(
            field, "a public address", "an address that is not public", hint_for(host, port)
        )


def _literal(host: str, field: str) -> Address | None:
    try:
        return read_host(host)
    except ValueError:
        expected = "a host name without a dot at its end, or an address such as 192.0.2.1 or [2001:db8::1]"
        raise OutgoingRefused(field, expected, "another host") from None


class _Gate(httpx2.BaseTransport):
    """A transport of our own instead of one with a part exchanged: what it does not do is not done."""

    def __init__(
        self, deadline: float, max_bytes: int, field: str, lookup: Resolver, tls: ssl.SSLContext | None
    ) -> None:
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._field = field
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls or _tls(),
            max_connections=_CONNECTIONS,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=Backend(field, lookup),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        _check(request.url, self._field)
        request.headers["Host"] = request.url.netloc.decode("ascii")  # whatever a caller put there
        request.headers["Accept-Encoding"] = "identity"
        request.extensions.pop("sni_hostname", None)
        ends = time.monotonic() + self._deadline
        with _as_httpx(), until(ends):
            answer = self._pool.handle_request(_for_httpcore(request))
        assert isinstance(answer.stream, Iterable)
        problem = self._problem(httpx2.Headers(answer.headers))
        body = _Body(answer.stream, ends, self._max_bytes, problem)
        return httpx2.Response(
            answer.status, headers=answer.headers, stream=body, extensions=answer.extensions
        )

    def _problem(self, headers: httpx2.Headers) -> httpx2.HTTPError | None:
        """Why the body is not read, as far as the headers tell. The status is an answer in any case."""
        codings = headers.get("Content-Encoding", "").lower().split(",")
        if any(coding.strip() not in ("", "identity") for coding in codings):
            return AnswerEncoded("The answer is packed (Content-Encoding), which was not asked for.")
        length = headers.get("Content-Length", "")
        is_number = length.isascii() and length.isdigit()
        if is_number and (len(length) > 18 or int(length) > self._max_bytes):
            return _too_large(self._max_bytes)
        return None

    def close(self) -> None:
        self._pool.close()


class _Body(httpx2.SyncByteStream):
    """The bytes of an answer until the deadline and the bound."""

    def __init__(
        self, stream: Iterable[bytes], ends: float, max_bytes: int, problem: httpx2.HTTPError | None
    ) -> None:
        self._problem = problem
        self._stream = stream
        self._ends = ends
        self._max_bytes = max_bytes

    def __iter__(self) -> Iterator[bytes]:
        if self._problem is not None:
            raise self._problem
        parts, size = iter(self._stream), 0
        while True:
            with _as_httpx(), until(self._ends):
                part = next(parts, None)
            if part is None:
                return
            size += len(part)
            if size > self._max_bytes:
                raise _too_large(self._max_bytes)
            yield part

    def close(self) -> None:
        if hasattr(self._stream, "close"):
            self._stream.close()


def _too_large(max_bytes: int) -> AnswerTooLarge:
    return AnswerTooLarge(f"The answer is longer than {max_bytes} bytes.")


def _for_httpcore(request: httpx2.Request) -> httpcore2.Request:
    url = httpcore2.URL(
        scheme=request.url.raw_scheme,
        host=request.url.raw_host,
        port=request.url.port,
        target=request.url.raw_path,
    )
    assert isinstance(request.stream, httpx2.SyncByteStream)
    return httpcore2.Request(
        method=request.method,
        url=url,
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


@contextmanager
def _as_httpx() -> Iterator[None]:
    """httpcore's errors under the same names of httpx: the most special one that there is."""
    try:
        yield
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        for kind in type(error).__mro__:
            known = getattr(httpx2, kind.__name__, None)
            if isinstance(known, type) and issubclass(known, httpx2.TransportError):
                raise known(str(error)) from error
        raise httpx2.TransportError(str(error)) from error


@cache
def _tls() -> ssl.SSLContext:
    """Reading all authorities takes some 20 ms. SSL_CERT_FILE names an authority of one's own."""
    return httpx2.create_ssl_context()

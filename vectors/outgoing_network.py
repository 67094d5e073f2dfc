"""Connections to exactly the addresses that were checked, and an end to every wait.

A network backend for httpcore: it looks a name up once, refuses the whole name if one of its addresses is
not allowed, and connects to these addresses, not to the name. TLS and the header Host keep the name, since
they are made above it. A name whose answers change between a check and a connection gains nothing.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Any, Final

import httpcore2
from django.conf import settings

from vectors.errors import OutgoingRefused
from vectors.outgoing_hosts import Address, Allowed, allowed, read_host

Resolver = Callable[[str, int], Sequence[str]]

_MAX_ADDRESSES: Final = 8
_PIECE: Final = 16_384  # bytes between two looks at the clock
# A lookup cannot be interrupted: names that never answer may hold so many threads and no more.
_LOOKUPS: Final = threading.BoundedSemaphore(64)
_deadline: ContextVar[float] = ContextVar("outgoing_deadline", default=float("inf"))


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the order in which the system would try them; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def operators_list() -> Allowed:
    """AFN_OUTGOING_ALLOWED as it is now."""
    return allowed(getattr(settings, "AFN_OUTGOING_ALLOWED", ()))


def hint_for(host: str, port: int) -> str:
    """What the operator would have to set for this host."""
    shown = f"[{host}]" if ":" in host else host
    return f"If that is meant, its operator sets AFN_OUTGOING_ALLOWED={shown}:{port}."


@contextmanager
def until(moment: float) -> Iterator[None]:
    """Whatever is sent or read within ends at that moment of `time.monotonic()`.

    Connections outlive requests, so this belongs to whoever reads, not to the connection.
    """
    token = _deadline.set(moment)
    try:
        yield
    finally:
        _deadline.reset(token)


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    """Seconds for the next step: what is left until the deadline, `timeout` at most."""
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise late("The deadline has passed.")
    if left == float("inf"):
        return timeout
    return left if timeout is None else min(left, timeout)


class Backend(httpcore2.NetworkBackend):
    """Raises OutgoingRefused for a name with an address that is not allowed; else httpcore's errors."""

    def __init__(self, field: str, lookup: Resolver = resolve) -> None:
        self._field = field
        self._lookup = lookup
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        failure: Exception = httpcore2.ConnectError("The name has no address.")
        for address in self._checked(host, port, timeout):
            seconds = _left(timeout, httpcore2.ConnectTimeout)
            try:
                inner = self._inner.connect_tcp(str(address), port, seconds, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return Stream(inner)
        raise failure

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        raise OutgoingRefused(self._field, "a URL", "a socket of this machine")

    def _checked(self, host: str, port: int, timeout: float | None) -> list[Address]:
        """All addresses of the host, each allowed; otherwise none of them is called."""
        try:
            literal = read_host(host)
        except ValueError as error:
            raise OutgoingRefused(self._field, "a host name", "something else") from error
        if literal is None:
            texts = _in_time(self._lookup, host, port, _left(timeout, httpcore2.ConnectTimeout))
            addresses = [ip_address(text) for text in texts[:_MAX_ADDRESSES]]
        else:
            addresses = [literal]
        permitted = operators_list()
        if not all(permitted.may_reach(address, host, port) for address in addresses):
            raise OutgoingRefused(
                self._field, "a public address", "an address that is not public", hint_for(host, port)
            )
        return addresses


def _in_time(lookup: Resolver, host: str, port: int, seconds: float | None) -> Sequence[str]:
    answer: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def look() -> None:
        try:
            answer.put(lookup(host, port))
        except Exception as error:  # noqa: BLE001 - raised below, by who asked
            answer.put(error)
        finally:
            _LOOKUPS.release()

    if not _LOOKUPS.acquire(timeout=seconds):
        raise httpcore2.ConnectTimeout("Too many names are being looked up.")
    threading.Thread(target=look, name="outgoing-lookup", daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except queue.Empty:
        raise httpcore2.ConnectTimeout("The name was not found in time.") from None
    if isinstance(found, OSError | UnicodeError):
        raise httpcore2.ConnectError("The name is not known.") from found
    if isinstance(found, Exception):
        raise found
    return found


class Stream(httpcore2.NetworkStream):
    """A connection on which no step lasts beyond the deadline of the request at work."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            seconds = _left(timeout, httpcore2.WriteTimeout)
            self._inner.write(buffer[start : start + _PIECE], seconds)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        seconds = _left(timeout, httpcore2.ConnectTimeout)
        return Stream(self._inner.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

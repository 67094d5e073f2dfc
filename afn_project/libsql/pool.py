"""Streams to a server, shared by the threads of a process and bounded, since the server bounds them too."""

import atexit
import os
import threading
import time
import weakref
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from .errors import PoolExhausted
from .hrana import STREAM_IDLE, Endpoint, Stream

_MAX_POOLS = 32
_FAREWELL = 0.5  # seconds to tell the server that a pool's streams are not needed any more


@dataclass(frozen=True)
class Limits:
    """``size`` streams are kept open, ``overflow`` more are closed after use; who finds none free waits
    ``wait`` seconds. A stream is replaced ``recycle`` seconds after it was made; 0 is never."""

    size: int = 8
    overflow: int = 8
    wait: float = 10.0
    recycle: float = 0


class Pool:
    """The streams to one endpoint. Between two uses a stream has no transaction and no state of its own."""

    def __init__(self, endpoint: Endpoint, limits: Limits) -> None:
        self.endpoint = endpoint
        self.limits = limits
        self._idle: list[Stream] = []
        self._count = 0  # idle and in use
        self._free = threading.Condition()
        _all.add(self)

    def acquire(self) -> Stream:
        """A stream for one user; ``release`` or ``discard`` gives it back. Raises ``PoolExhausted``."""
        with self._free:
            if not self._free.wait_for(self._has_room, self.limits.wait):
                raise PoolExhausted(
                    f"All {self._count} connections of this process to {self.endpoint} were in use for "
                    f"{self.limits.wait:g} s. Raise DB_POOL_SIZE or DB_MAX_OVERFLOW, or use fewer threads."
                )
            if self._idle:
                stream = self._idle.pop()
            else:
                self._count += 1
                return Stream(self.endpoint)
        now = time.monotonic()
        if now - stream.used > STREAM_IDLE:
            stream.expire()
        if self.limits.recycle and now - stream.created > self.limits.recycle:
            stream.close()
            return Stream(self.endpoint)
        return stream

    def release(self, stream: Stream) -> None:
        if stream.made_in != os.getpid():
            self.discard(stream)
            return
        with self._free:
            if len(self._idle) < self.limits.size:
                self._idle.append(stream)
                self._free.notify()
                return
        self.discard(stream)

    def discard(self, stream: Stream) -> None:
        try:
            stream.close()
        finally:
            with self._free:
                self._count -= stream.made_in == os.getpid()
                self._free.notify()

    def close(self) -> None:
        """Close what is idle; streams in use are closed by their users.

        The server is told, since it keeps a stream's connection for some ten seconds otherwise, and has few.
        """
        with self._free:
            idle, self._idle = self._idle, []
            self._count -= len(idle)
        end = time.monotonic() + _FAREWELL
        for stream in idle:
            now = time.monotonic()
            if now > end or now - stream.used > STREAM_IDLE:
                stream.hang_up()
            else:
                stream.close(timeout=_FAREWELL)

    def forget(self) -> None:
        """In a forked child: the streams are the parent's, who goes on using them."""
        self._free = threading.Condition()  # a thread that is not here may have held the old one
        idle, self._idle, self._count = self._idle, [], 0
        for stream in idle:
            with suppress(OSError):
                stream.hang_up()

    def _has_room(self) -> bool:
        return bool(self._idle) or self._count < self.limits.size + self.limits.overflow


_all: weakref.WeakSet[Pool] = weakref.WeakSet()  # also those that only a connection still uses
_pools: OrderedDict[tuple[Endpoint, Limits], Pool] = OrderedDict()
_lock = threading.Lock()


def pool_of(endpoint: Endpoint, limits: Limits) -> Pool:
    """The pool of this process for an endpoint; the least recently used are closed past 32."""
    key = (endpoint, limits)
    with _lock:
        pool = _pools.get(key)
        if pool is None:
            pool = _pools[key] = Pool(endpoint, limits)
        _pools.move_to_end(key)
        surplus = [_pools.popitem(last=False)[1] for _ in range(len(_pools) - _MAX_POOLS)]
    for old in surplus:
        old.close()
    return pool


def open_streams(url: str, namespace: str = "") -> int:
    """Streams to a database on a server that this process has, idle and in use."""
    there = [pool for pool in list(_all) if pool.endpoint.url == url and pool.endpoint.namespace == namespace]
    return sum(pool._count for pool in there)


def _forget_all() -> None:
    """In a forked child, whatever the parent's other threads were at."""
    global _lock
    _lock = threading.Lock()
    for pool in list(_all):
        pool.forget()


def _close_all() -> None:
    while _pools:
        _pools.popitem()[1].close()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)

"""The events of late, in this process: kept once, read by all of its clients, each at its own pace.

No client has a queue of its own, so that a slow one costs no memory: it falls behind what is kept, is told
so, and reads anew what it shows.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Final

from .events import ANCHOR, Event, Order

MAX_EVENTS: Final = 10_000
MAX_BYTES: Final = 8_000_000


class History:
    """Threads share it. A position counts the events before it, from the start of the process."""

    def __init__(self, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self._lock = threading.Lock()
        self._max_events, self._max_bytes = max_events, max_bytes
        self._events: list[Event] = []
        self._first = 0  # position of the first that is kept
        self._bytes = 0
        self._gaps = 0
        self._bells: list[Callable[[], None]] = []

    def on_new(self, ring: Callable[[], None]) -> None:
        """Have `ring` called, by any thread, after each addition."""
        self._bells.append(ring)

    @property
    def last_id(self) -> str:
        """Empty where nothing is kept yet."""
        with self._lock:
            return self._events[-1].id if self._events else ""

    @property
    def gaps(self) -> int:
        """How often all was forgotten."""
        return self._gaps

    def end(self) -> tuple[str, int]:
        """The last id, empty where there is none, and the position behind it."""
        with self._lock:
            return (self._events[-1].id if self._events else ""), self._first + len(self._events)

    def add(self, events: Iterable[Event]) -> None:
        """Append those that are newer than the last one."""
        found = list(events)  # which may take a while
        with self._lock:
            for event in found:
                if not self._events or event.order > self._events[-1].order:
                    self._append(event)
        self._ring()

    def add_new(self, kind: str, body: str) -> None:
        """Append one, and give it its id."""
        with self._lock:
            if not self._events:
                self._append(Event(_next_id(None), ANCHOR, "{}"))
            self._append(Event(_next_id(self._events[-1]), kind, body))
        self._ring()

    def anchor(self) -> None:
        """See to it that there is an id to go on from."""
        with self._lock:
            if not self._events:
                self._append(Event(_next_id(None), ANCHOR, "{}"))

    def replace(self, events: Iterable[Event]) -> None:
        """Forget all, for there is a gap behind it: every position before is too old."""
        found = list(events)
        with self._lock:
            self._first += len(self._events) + 1
            self._events, self._bytes = [], 0
            self._gaps += 1
            for event in found:
                self._append(event)
        self._ring()

    def position_after(self, order: Order) -> int | None:
        """Behind the event of this id (`events.order_of`); None where something after it may be gone."""
        with self._lock:
            if not self._events or not self._events[0].order <= order <= self._events[-1].order:
                return None
            return self._first + bisect_right(self._events, order, key=lambda event: event.order)

    def read(self, position: int, limit: int) -> list[Event] | None:
        """What follows on a position; None where some of it is gone."""
        with self._lock:
            if position < self._first:
                return None
            start = position - self._first
            return self._events[start : start + limit]

    def _append(self, event: Event) -> None:
        self._events.append(event)
        self._bytes += len(event.body)
        if len(self._events) > self._max_events * 1.1 or self._bytes > self._max_bytes:
            self._trim()

    def _trim(self) -> None:
        """By a tenth at a time, as all that is left is moved."""
        gone = 0
        wanted_bytes = self._max_bytes * 0.9
        while len(self._events) - gone > self._max_events or (
            self._bytes > wanted_bytes and len(self._events) - gone > 1
        ):
            self._bytes -= len(self._events[gone].body)
            gone += 1
        del self._events[:gone]
        self._first += gone

    def _ring(self) -> None:
        for ring in self._bells:
            ring()


def _next_id(last: Event | None) -> str:
    """As Redis makes them: milliseconds, and a number within."""
    now = int(time.time() * 1_000)
    if last is None or last.order[0] < now:
        return f"{now}-0"
    moment, number = last.order
    return f"{moment}-{number + 1}"

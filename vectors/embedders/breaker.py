"""Who asks a service that has just failed is told so at once, instead of waiting for it too."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from vectors.errors import EmbedderError

REST: Final = 10.0  # seconds in which one asks and all others are told


class Breaker:
    """Of one service, shared by the threads of a process.

    After a failure one of them asks again every ten seconds, so that a service that hangs holds one thread
    and not all; the first that is answered lets all ask again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock, self._clock = threading.Lock(), clock
        self._failure: EmbedderError | None = None
        self._failed_at = self._asks_at = 0.0

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Raises the last failure again, with its age, where the service is left alone at the moment."""
        self._check()
        try:
            yield
        except EmbedderError as error:
            with self._lock:
                self._failure, self._failed_at = error, self._clock()
                self._asks_at = self._failed_at + REST
            raise
        self._failure = None

    def _check(self) -> None:
        with self._lock:
            failure, now = self._failure, self._clock()
            if failure is None:
                return
            if now >= self._asks_at:
                self._asks_at = now + REST  # this one asks, the others go on being told
                return
            age, wait = now - self._failed_at, self._asks_at - now
        told = f"{failure.got}, {age:.0f} s ago (it is asked again in {wait:.0f} s)"
        raise EmbedderError(failure.field, failure.expected, told, failure.hint)

"""A circuit breaker: what has just failed is not tried again at once, for each try costs a time-out."""

import threading
import time
from collections.abc import Callable
from typing import Final

PAUSE: Final = 2.0  # seconds


class Circuit:
    """Open after a failure, for `pause` seconds; then one caller may try while others are still refused."""

    def __init__(self, pause: float = PAUSE, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._until = 0.0
        self.is_open = False

    def may_try(self) -> bool:
        if not self.is_open:
            return True
        with self._lock:
            now = self._clock()
            if now < self._until:
                return False
            self._until = now + self._pause
            return True

    def failed(self) -> None:
        with self._lock:
            self.is_open = True
            self._until = self._clock() + self._pause

    def worked(self) -> None:
        self.is_open = False

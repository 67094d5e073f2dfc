"""Without Redis: a thread of the web server's process that sweeps.

It is asked for when a transaction with events is committed, and looked after at the end of requests: so it
runs where requests are served, and commands, which end before it could do anything, leave their events to
the next one who sweeps. Claims keep the threads of several processes out of each other's way.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Final

from django.conf import settings
from django.core.signals import request_finished
from django.db import DEFAULT_DB_ALIAS, connections
from django.dispatch import receiver

logger = logging.getLogger(__name__)
# So often a process that serves requests looks for what others have left.
LOOK_SECONDS: Final = 60.0


class _Sweeper:
    """The thread, and how it is woken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._looked_at = float("-inf")
        self.is_asked = False

    def look(self) -> None:
        now = time.monotonic()
        if not self.is_asked and now - self._looked_at < LOOK_SECONDS:
            return
        self.is_asked, self._looked_at = False, now
        self._wake.set()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():  # a forked process has no threads
                self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        from .sweeping import THREADS, seconds_until_due, sweep

        wait = 0.0
        while True:
            self._wake.wait(wait)
            self._wake.clear()
            try:
                sweep(THREADS)
                wait = seconds_until_due()
            except Exception:
                logger.exception("The outbox could not be swept")
                wait = LOOK_SECONDS
            finally:
                connections.close_all()


_sweeper = _Sweeper()


def ask() -> None:
    """Sweep at the end of this request."""
    _sweeper.is_asked = True


@receiver(request_finished, dispatch_uid="outbox-background")
def look(**_: Any) -> None:
    # A database in memory is that of its connection: a thread would see another one.
    if settings.CELERY_TASK_ALWAYS_EAGER and not is_in_memory():
        _sweeper.look()


def is_in_memory() -> bool:
    connection: Any = connections[DEFAULT_DB_ALIAS]
    return bool(connection.vendor == "sqlite" and connection.is_in_memory_db())

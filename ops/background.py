"""Without Redis: threads of the web server's process that do what workers would do.

Each sleeps until it is asked at a commit, something of its own is due, or a minute is over, and is looked
after at the end of requests: so they run where requests are served, and commands, which end before they could
do anything, leave their work to the next process that looks. Claims keep the threads of several processes
out of each other's way.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.core.signals import request_finished
from django.db import DEFAULT_DB_ALIAS, connections
from django.dispatch import receiver

logger = logging.getLogger(__name__)
# So often a process that serves requests looks for what others have left.
LOOK_SECONDS: Final = 60.0


class Background:
    """A thread that does `work` again and again, and how it is woken. `work` returns how long it can wait."""

    def __init__(
        self, name: str, work: Callable[[], float], *, is_wanted: Callable[[], bool] = lambda: True
    ) -> None:
        self._name, self._work, self._is_wanted = name, work, is_wanted
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._looked_at = float("-inf")
        self.is_asked = False
        _all.append(self)

    def look(self) -> None:
        """Wake the thread where it was asked for, or nobody has looked for a minute."""
        if not self._is_wanted():
            return
        now = time.monotonic()
        if not self.is_asked and now - self._looked_at < LOOK_SECONDS:
            return
        self.is_asked, self._looked_at = False, now
        self._wake.set()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():  # a forked process has no threads
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        wait = 0.0
        while True:
            self._wake.wait(wait)
            self._wake.clear()
            try:
                wait = self._work()
            except Exception:
                logger.exception("What the thread %s does has failed", self._name)
                wait = LOOK_SECONDS
            finally:
                connections.close_all()


_all: list[Background] = []


@receiver(request_finished, dispatch_uid="background")
def look_at_all(**_: Any) -> None:
    if may_run():
        for one in _all:
            one.look()


def may_run() -> bool:
    """A database in memory is that of its connection: a thread would see another one."""
    return bool(settings.CELERY_TASK_ALWAYS_EAGER) and not is_in_memory()


def is_in_memory() -> bool:
    connection: Any = connections[DEFAULT_DB_ALIAS]
    return bool(connection.vendor == "sqlite" and connection.is_in_memory_db())

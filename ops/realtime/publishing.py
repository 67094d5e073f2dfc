"""Telling what happened. Whoever writes waits for nobody: a thread brings events to Redis once they are
committed, and keeps a thousand of them while it is down. What is more is dropped, and all clients are told to
read anew what they show.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, transaction
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from prompts.serving import shared

from . import events, stream
from .history import History
from .kinds import check_kind

logger = logging.getLogger(__name__)
RESET: Final = "reset"  # the kind of what tells all clients that something is missing
MAX_WAITING: Final = 1_000
_BATCH: Final = 100
_PAUSE: Final = 0.5  # before Redis is tried again
# So long a process that ends waits for Redis to take its last events.
_FLUSH_SECONDS: Final = 1.0

# Of this process: all there is without Redis, else what the stream has brought.
history: Final = History()


def publish(kind: str, data: Mapping[str, Any], *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Tell of something once the transaction is committed. `data` are ids, names, numbers and who did it;
    never contents or secrets. Raises ``ValueError`` for a kind that there is not, and nothing afterwards.
    """
    check_kind(kind)
    if using != DEFAULT_DB_ALIAS:  # other environments are opened to compare and to merge
        return
    body = events.render(kind, data, timezone.now())
    transaction.on_commit(lambda: _tell(kind, body), using=using, robust=True)


def _tell(kind: str, body: str) -> None:
    if shared.is_configured():
        sender.put(kind, body)
    else:
        history.add_new(kind, body)


class Sender:
    """A thread of this process, started with its first event."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Also for a process that was forked: its parent's thread, locks and events are not its own."""
        self._name = secrets.token_hex(8)
        self._wake = threading.Condition()
        self._waiting: deque[tuple[str, str]] = deque()
        self._number = 0  # of the first that waits
        self._thread: threading.Thread | None = None
        self._client: Redis | None = None
        self._is_failing = False

    def put(self, kind: str, body: str) -> None:
        with self._wake:
            if len(self._waiting) >= MAX_WAITING:
                self._drop()
            self._waiting.append((kind, body))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="realtime", daemon=True)
                self._thread.start()
            self._wake.notify_all()

    def flush(self, seconds: float = _FLUSH_SECONDS) -> bool:
        """Wait until all is sent, but not while Redis is known to be down."""
        end = time.monotonic() + seconds
        with self._wake:
            while self._waiting and not self._is_failing and time.monotonic() < end:
                self._wake.wait(0.05)
            return not self._waiting

    def _drop(self) -> None:
        """What waits is given up for one event that says so. Its numbers stay used: some of it may have
        arrived."""
        logger.warning(
            "Events could not be told to clients, which are told to reload: %s", len(self._waiting)
        )
        self._number += len(self._waiting)
        self._waiting.clear()
        self._waiting.append((RESET, "{}"))

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting:
                    self._wake.wait()
                number, batch = self._number, list(self._waiting)[:_BATCH]
            if not self._send(number, batch):
                time.sleep(_PAUSE)
                continue
            with self._wake:
                for _ in range(max(0, number + len(batch) - self._number)):  # unless they were given up
                    self._waiting.popleft()
                    self._number += 1
                self._wake.notify_all()

    def _send(self, number: int, batch: list[tuple[str, str]]) -> bool:
        try:
            if self._client is None:
                self._client = stream.connect()
            stream.add(self._client, self._name, number, batch)
        except (RedisError, OSError) as error:
            if not self._is_failing:
                logger.warning(
                    "Redis takes no events, they wait: %s", str(error)[:200] or type(error).__name__
                )
            self._is_failing = True
            return False
        if self._is_failing:
            logger.warning("Redis takes events again.")
        self._is_failing = False
        return True


sender: Final = Sender()
os.register_at_fork(after_in_child=sender.reset)
atexit.register(sender.flush)

"""Follows the stream in Redis, in a thread: into the history of this process, or to a command."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError

from prompts.serving import shared

from . import stream
from .events import order_of
from .history import History

logger = logging.getLogger(__name__)
_PAUSE: Final = 0.5  # before Redis is tried again
_PING: Final = 5.0
_SILENT: Final = 12.0  # a connection on which nothing came for so long, not even answers, is dead


class Feed:
    def __init__(self, history: History) -> None:
        self._history = history
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._is_down = False
        self.is_ready = threading.Event()

    def start(self) -> None:
        """Follow from now on. Without Redis there is nothing to follow."""
        if not shared.is_configured():
            self._history.anchor()
            self.is_ready.set()
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._stop.clear()
                self._thread = threading.Thread(target=self._run, name="realtime-feed", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with closing(stream.connect()) as client:
                    self._follow(client)
            except (RedisError, OSError) as error:
                if not self._is_down:
                    logger.warning("Redis does not answer, events wait: %s", type(error).__name__)
                self._is_down = True
            except Exception:
                logger.exception("Following events has failed")
            self._stop.wait(_PAUSE)

    def _follow(self, client: Redis) -> None:
        with closing(client.pubsub()) as bell:
            bell.subscribe(stream.channel())
            self._await_subscription(bell)
            # After the subscription: what comes in between is in both, and counts once.
            self._catch_up(client)
            if self._is_down:
                logger.warning("Redis answers again, events go on.")
            self._is_down = False
            self.is_ready.set()
            pinged = heard = time.monotonic()
            while not self._stop.is_set():
                message: Any = bell.get_message(timeout=0.5)
                now = time.monotonic()
                if message is not None:
                    heard = now
                    if message["type"] == "message":
                        self._history.add([stream.heard(message["data"])])
                elif now - heard > _SILENT:
                    raise TimeoutError
                elif now - pinged > _PING:
                    bell.ping()
                    pinged = now

    def _await_subscription(self, bell: Any) -> None:
        end = time.monotonic() + 2.0
        while time.monotonic() < end:
            message = bell.get_message(timeout=0.5)
            if message is not None and message["type"] == "subscribe":
                return
        raise TimeoutError

    def _catch_up(self, client: Redis) -> None:
        """Read what came since the last event that is known here, or all anew where that is gone."""
        first, last = stream.first_and_last(client)
        known = self._history.last_id
        if known and first.order <= order_of(known) <= last.order:
            self._history.add(stream.read(client, known))
        else:
            self._history.replace(stream.read(client))

"""The clients of this process: how many there may be, and what wakes them."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Final

from django.conf import settings

from .callers import Caller
from .feed import Feed
from .history import History
from .kinds import Filter
from .publishing import history as of_this_process


class TooManyClients(Exception):
    """``is_own``: of this user, else of all."""

    def __init__(self, is_own: bool) -> None:
        super().__init__(is_own)
        self.is_own = is_own


class Client:
    """One connection: who it is, what it wants, and how far it has read."""

    def __init__(self, caller: Caller, wanted: Filter) -> None:
        self.caller, self.wanted = caller, wanted
        self.position = self.gaps = 0
        self.bell = asyncio.Event()
        self.loop = asyncio.get_running_loop()


class Hub:
    def __init__(self, history: History) -> None:
        self.history = history
        self.feed = Feed(history)
        self._lock = threading.Lock()
        self._clients: set[Client] = set()
        history.on_new(self._ring)

    def __len__(self) -> int:
        return len(self._clients)

    def enter(self, client: Client) -> None:
        """Raises ``TooManyClients``."""
        with self._lock:
            if len(self._clients) >= settings.AFN_REALTIME_CLIENTS:
                raise TooManyClients(is_own=False)
            own = Counter(one.caller.user_id for one in self._clients)[client.caller.user_id]
            if own >= settings.AFN_REALTIME_CLIENTS_PER_USER:
                raise TooManyClients(is_own=True)
            self._clients.add(client)

    def leave(self, client: Client) -> None:
        with self._lock:
            self._clients.discard(client)

    def _ring(self) -> None:
        """By the thread that brought an event; once for each loop, however many clients it has."""
        with self._lock:
            loops = {client.loop for client in self._clients}
        for loop in loops:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._wake, loop)

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            clients = [client for client in self._clients if client.loop is loop]
        for client in clients:
            client.bell.set()


hub: Final = Hub(of_this_process)

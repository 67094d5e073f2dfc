"""Looks at all parts again and again while somebody asks, so that whoever asks is answered at once.

An answer is a few seconds old at most: what is older is looked at while the asker waits. Of the processes
of a machine one looks at a time, and the others take over what it found.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from ops.background import is_in_memory
from ops.figures import keeping as figures

from . import history, parts, sharing
from .probing import Found, Part, Prober
from .signals import looked
from .states import Health, State, Status

logger = logging.getLogger(__name__)
FRESH: Final = 3.0  # seconds for which nobody looks again
OLD: Final = 8.0  # older ones are told to nobody
ASKED: Final = 60.0  # so long after a question somebody goes on looking as often as that
IDLE: Final = 30.0  # and then as often as this, for the history
_HISTORY_TIMEOUT: Final = 2.0


class Watch:
    """Of one process. `clock` tells Unix seconds, by which processes understand each other."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._prober = Prober()
        self._health: Health | None = None
        self._looking = threading.Lock()
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._asked = float("-inf")

    def current(self) -> Health:
        """The state of all parts, from memory where that is fresh enough."""
        self._asked = time.monotonic()
        health = self._known()
        if health is None or self._age(health) > OLD:
            health = self.look()
        elif self._age(health) > FRESH:
            if is_in_memory():  # which threads do not all see
                health = self.look()
            else:
                self._wake.set()
        self.start()
        return health

    def recent(self, seconds: float) -> Health:
        """The state as anybody has found it within so long. Nobody looks more often for who asks so."""
        health = self._known()
        return health if health is not None and self._age(health) <= seconds else self.look()

    def look(self) -> Health:
        """Look now, unless somebody has just done so."""
        with self._looking:
            known = self._known()
            if known is not None and self._age(known) < FRESH:
                return known
            with sharing.claimed() as is_ours:
                if not is_ours and known is not None and self._age(known) <= OLD:
                    return known
                self._health = health = self._look(known)
                if not is_in_memory():  # then nobody else knows the database
                    sharing.write(health)
                self._keep(health)
        return health

    def look_now(self) -> Health:
        """Look at all parts, whatever is known already; nobody else is told."""
        return self._look(None)

    def start(self) -> None:
        """Have a thread look, in a process that answers requests."""
        if is_in_memory():
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():  # a forked process has no threads
                self._thread = threading.Thread(target=self._run, name="health", daemon=True)
                self._thread.start()

    def end(self) -> None:
        """With the process."""
        self._prober.end()
        self._wake.set()

    def _run(self) -> None:
        wait = 0.0
        while not self._prober.is_ending:
            self._wake.wait(wait)
            self._wake.clear()
            if self._prober.is_ending or is_in_memory():  # which this thread does not see
                return
            health = self._known()
            is_asked = time.monotonic() - self._asked < ASKED
            # A little less, or what another process has just written would always be a moment too new.
            if health is None or self._age(health) >= (FRESH if is_asked else IDLE) - 0.5:
                try:
                    self.look()
                except Exception:
                    logger.exception("Nobody has looked after health this time")
            if health := self._known():
                self._tell(health)
            wait = FRESH if is_asked else IDLE

    def _look(self, before: Health | None) -> Health:
        now = self._clock()
        known = before.states if before else {}
        wanted = parts.all_parts()
        due = [part for part in wanted if _is_due(part, known.get(part.name), now)]
        found = self._prober.run(due)
        states = {
            part.name: _state(part.name, found[part.name], known.get(part.name), now)
            if part.name in found
            else known[part.name]
            for part in wanted
        }
        return Health(now, states)

    def _keep(self, health: Health) -> None:
        """What is kept of it in the database, where that can be written."""
        states = health.states
        if history.wants(states) and states["database"].status == Status.OK:
            self._prober.run([Part("history", lambda: history.keep(states), timeout=_HISTORY_TIMEOUT)])

    def _tell(self, health: Health) -> None:
        """In each process that answers requests, whoever looked: others may not know what it counts."""
        looked.send_robust(Watch, health=health)
        now = datetime.fromtimestamp(self._clock(), UTC)
        if figures.wants(now) and health.states["database"].status == Status.OK:
            self._prober.run([Part("figures", lambda: figures.keep(now, health), timeout=_HISTORY_TIMEOUT)])

    def _known(self) -> Health | None:
        """What this process knows, or another one has found since."""
        own = self._health
        if own is not None and 0 <= self._age(own) < 1.0:
            return own
        other = None if is_in_memory() else sharing.read()
        if other is not None and (own is None or other.at > own.at) and self._age(other) >= 0:
            self._health = own = other
        return own if own is not None and self._age(own) >= 0 else None

    def _age(self, health: Health) -> float:
        return self._clock() - health.at


def _is_due(part: Part, state: State | None, now: float) -> bool:
    if state is None or state.status in (Status.DEGRADED, Status.DOWN):
        return True
    return not 0 <= now - state.at < part.every


def _state(name: str, found: Found, before: State | None, now: float) -> State:
    finding = found.finding
    since = before.since if before is not None and before.status == finding.status else now
    return State(
        name, finding.status, found.seconds, since, now, finding.detail, finding.value, finding.samples
    )


_watch: Final = Watch()
current, recent, look_now, start = _watch.current, _watch.recent, _watch.look_now, _watch.start
atexit.register(_watch.end)

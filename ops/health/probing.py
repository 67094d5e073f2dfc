"""Runs probes, each in a thread with connections of its own, and never waits longer than they may take."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from django.db import connections
from django.utils.translation import gettext_noop as _

from ops.said import say

from .states import Finding, Status

logger = logging.getLogger(__name__)
TIMEOUT: Final = 2.5  # seconds, of a part that says nothing else
_END_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Part:
    """`every`: so many seconds pass before it is looked at again while it is well."""

    name: str
    probe: Callable[[], Finding]
    timeout: float = TIMEOUT
    every: float = 0.0


@dataclass(slots=True)
class Found:
    finding: Finding
    seconds: float


_own: Final = threading.local()


def is_probing() -> bool:
    """Whether this thread runs a probe: what it does is nobody's request."""
    return getattr(_own, "is_probing", False)


class Prober:
    """Of one process. A probe that still hangs is not begun again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hanging: dict[str, threading.Thread] = {}
        self._ending = threading.Event()

    @property
    def is_ending(self) -> bool:
        return self._ending.is_set()

    def end(self) -> None:
        """With the process: what is still at work says nothing any more, for nobody may be there to hear it,
        and is waited for a moment.
        """
        self._ending.set()
        end = time.monotonic() + _END_SECONDS
        for thread in list(self._hanging.values()):
            thread.join(max(0.0, end - time.monotonic()))

    def run(self, parts: Iterable[Part]) -> dict[str, Found]:
        """What each probe found; `down` where it failed or took longer than it may."""
        parts, found = list(parts), dict[str, Found]()
        started = time.monotonic()
        with self._lock:
            for part in parts:
                if (before := self._hanging.get(part.name)) is None or not before.is_alive():
                    self._hanging[part.name] = self._start(part, found)
        threads = {part.name: self._hanging[part.name] for part in parts}
        for part in parts:
            threads[part.name].join(max(0.0, started + part.timeout - time.monotonic()))
        done = dict(found)
        return {part.name: done.get(part.name) or _late(part, time.monotonic() - started) for part in parts}

    def _start(self, part: Part, found: dict[str, Found]) -> threading.Thread:
        def run() -> None:
            _own.is_probing = True
            started = time.monotonic()
            try:
                finding = part.probe()
            except Exception as error:  # any failure at all is the answer
                if not self.is_ending:
                    logger.warning("Health: %s failed: %s", part.name, type(error).__name__)
                    logger.debug("Health: %s", part.name, exc_info=True)
                finding = Finding(Status.DOWN, say(_("failed: %(error)s"), error=type(error).__name__))
            finally:
                connections.close_all()
            found[part.name] = Found(finding, time.monotonic() - started)

        thread = threading.Thread(target=run, name=f"health {part.name}", daemon=True)
        thread.start()
        return thread


def _late(part: Part, seconds: float) -> Found:
    logger.warning("Health: %s took longer than %g s", part.name, part.timeout)
    detail = say(_("no answer within %(seconds)s s"), seconds=f"{part.timeout:g}")
    return Found(Finding(Status.DOWN, detail), seconds)

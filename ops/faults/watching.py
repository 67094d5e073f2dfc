"""What a monitor sees: a request now and then, on a connection of its own, with the times of all answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import httpx2

from .results import too_long

READY: Final = "/health/ready"
# The truth about a fault and its end has to show within this.
TRUTH_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`at` is when it came, by the clock of `time.monotonic`; `status` 0 is none."""

    at: float
    status: int
    seconds: float
    parts: dict[str, str]


class Watch:
    """Asks one address all the time it is open."""

    def __init__(self, url: str, *, every: float = 0.2, timeout: float = 10.0) -> None:
        self.answers: list[Answer] = []
        self._url, self._every, self._timeout = url, every, timeout
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def seconds_until(self, status: int, since: float, within: float = TRUTH_SECONDS) -> float | None:
        """From `since` to the first answer with that status, waiting for it; None where there is none."""
        while True:
            is_over = time.monotonic() > since + within + self._every
            for one in list(self.answers):
                if one.at >= since and one.status == status:
                    return one.at - since
            if is_over:
                return None
            time.sleep(0.05)

    def longest_without(self, status: int, since: float = 0.0) -> float:
        """The longest time between two answers of that status, the end counted as one."""
        moments = [one.at for one in list(self.answers) if one.status == status and one.at >= since]
        moments = [since or self.answers[0].at, *moments, self.answers[-1].at]
        return max(after - before for before, after in pairwise(moments))

    def has_seen(self, is_so: Callable[[Answer], bool]) -> bool:
        return any(is_so(one) for one in list(self.answers))

    def _watch(self) -> None:
        while not self._over.is_set():
            started = time.monotonic()
            status, parts = self._ask()
            now = time.monotonic()
            self.answers.append(Answer(now, status, now - started, parts))
            self._over.wait(max(0.0, self._every - (now - started)))

    def _ask(self) -> tuple[int, dict[str, str]]:
        try:
            answer = httpx2.get(self._url, timeout=self._timeout, trust_env=False)
            body: Any = answer.json() if self._url.endswith(READY) else {}
        except (httpx2.HTTPError, ValueError):
            return 0, {}
        return answer.status_code, body.get("parts", {})


def is_told(what: str, seconds: float | None, extra: float = 0.0) -> list[str]:
    """The problem where health tells the truth too late; `extra` is what the change itself may take."""
    return too_long(f"/health/ready, {what}", seconds, TRUTH_SECONDS + extra)

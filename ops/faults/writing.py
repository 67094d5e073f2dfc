"""Writers over HTTP, who remember what they were told, and the account of that against what is stored."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

PROMPTS: Final = "/api/v1/prompts"
_PAUSE: Final = 0.02
_MAX_SHOWN: Final = 5


@dataclass(slots=True)
class Said:
    """Rows by what was answered. `unknown` are those of which nobody can say: they are there once or not."""

    stored: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    def note(self, row: str, answer: httpx2.Response | None) -> None:
        self.statuses[str(answer.status_code) if answer else "none"] += 1
        if answer is None or (answer.status_code >= 500 and "stored or not" in answer.text):
            self.unknown.append(row)
        elif answer.is_success:
            self.stored.append(row)
        else:
            self.refused.append(row)


def account(said: Said, stored: Iterable[str]) -> dict[str, Any]:
    """What the database holds against what was answered: the names of rows where the two differ."""
    counts = Counter(stored)
    return {
        "acknowledged": len(said.stored),
        "unknown": len(said.unknown),
        "refused": len(said.refused),
        "lost": sorted(row for row in said.stored if not counts[row]),
        "doubled": sorted(row for row, count in counts.items() if count > 1),
        "refused_but_stored": sorted(row for row in said.refused if counts[row]),
    }


def problems_of(found: dict[str, Any]) -> list[str]:
    """Of an account: what must not be."""
    wrong = {name: found[name] for name in ("lost", "doubled", "refused_but_stored") if found[name]}
    return [f"{len(rows)} rows {name}: {', '.join(rows[:_MAX_SHOWN])}" for name, rows in wrong.items()]


class Writers:
    """Each writes a prompt, then an evaluation of it, whose rows nothing but the application keeps single."""

    def __init__(self, make_client: Callable[[], httpx2.Client], count: int) -> None:
        self.said = Said()
        self._make_client, self._lock, self._over = make_client, threading.Lock(), threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=[number], daemon=True) for number in range(count)
        ]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for_one(self, seconds: float) -> float | None:
        """Seconds until another row is acknowledged; None where none is in time."""
        started, before = time.monotonic(), len(self.said.stored)
        while len(self.said.stored) == before:
            if time.monotonic() - started > seconds:
                return None
            time.sleep(0.01)
        return time.monotonic() - started

    def _write(self, writer: int) -> None:
        client, number = self._make_client(), 0
        while not self._over.wait(_PAUSE):
            name, number = f"writer-{writer}/row-{number}", number + 1
            body = {
                "name": name,
                "title": name,
                "content": f"Write row {number} of {writer} to {{{{whom}}}}.",
            }
            if self._post(client, f"prompt {name}", PROMPTS, body):
                score = {"item": name, "score": 0.5}
                self._post(client, f"evaluation {name}", f"{PROMPTS}/{name}/evaluations", score)

    def _post(self, client: httpx2.Client, row: str, path: str, body: dict[str, Any]) -> bool:
        try:
            answer = client.post(path, json=body)
        except httpx2.HTTPError:
            answer = None
        with self._lock:
            self.said.note(row, answer)
        return answer is not None and answer.is_success

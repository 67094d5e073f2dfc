"""Somebody who goes on reading pages, calling the API and saving prompts, with the time of each."""

from __future__ import annotations

import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

import httpx2

from vectors.benchmarking.errors import NotMeasured

from . import results
from .inside import USER
from .writing import PROMPTS

_TOKEN: Final = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(slots=True)
class Visit:
    """Milliseconds by what was asked, and statuses other than 2xx (0: no answer)."""

    milliseconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: Counter[int] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return sum(map(len, self.milliseconds.values()))

    def empty(self) -> Visit:
        return Visit()

    def add(self, other: Visit) -> None:
        for name, times in other.milliseconds.items():
            self.milliseconds[name] += times
        self.failed += other.failed

    def figures(self) -> dict[str, dict[str, float]]:
        return {name: results.percentiles(times) for name, times in self.milliseconds.items()}

    def added_to(self, before: Visit) -> dict[str, dict[str, float]]:
        """By how much p50, p99 and the longest are longer than they were."""
        now, then = self.figures(), before.figures()
        return {
            name: {share: now[name][share] - then[name][share] for share in now[name]}
            for name in now
            if name in then
        }


class Visitor:
    """With a session of the console beside the key of the API. `written` counts the prompts saved."""

    def __init__(self, client: httpx2.Client, password: str) -> None:
        self._client, self.written = client, 0
        self._console = httpx2.Client(base_url=client.base_url, timeout=30.0, trust_env=False)
        page = self._console.get("/admin/login/?next=/admin/")
        token = _TOKEN.search(page.text)
        form = {"username": USER, "password": password, "csrfmiddlewaretoken": token[1] if token else ""}
        answer = self._console.post("/admin/login/?next=/admin/", data=form)
        if answer.status_code != 302:
            raise NotMeasured(f"signing in to the console: status {answer.status_code}")

    def visit(self, seconds: float) -> Visit:
        """For so many seconds, one request after the other."""
        seen, end = Visit(), time.monotonic() + seconds
        while time.monotonic() < end:
            for name, ask in (
                ("save a prompt", self._save),
                ("page", lambda: self._console.get("/admin/")),
                ("page of prompts", lambda: self._console.get("/admin/prompts/prompt/")),
                ("API, prompt", lambda: self._client.get(f"{PROMPTS}/visits/prompt-0?label=latest")),
                ("API, list", lambda: self._client.get(PROMPTS, params={"limit": 10})),
                ("API, search", lambda: self._client.get("/api/v1/search", params={"q": "visit"})),
            ):
                started = time.perf_counter()
                try:
                    answer = ask()
                    status = answer.status_code
                except httpx2.HTTPError:
                    status = 0
                seen.milliseconds[name].append(1000 * (time.perf_counter() - started))
                if not 200 <= status < 300:
                    seen.failed[status] += 1
        return seen

    def _save(self) -> httpx2.Response:
        name = f"visits/prompt-{self.written}"
        body = {
            "name": name,
            "title": name,
            "content": f"What visit {self.written} was about, for {{{{whom}}}}.",
        }
        answer = self._client.post(PROMPTS, json=body)
        self.written += answer.is_success
        return answer

"""Pages of a site with its own server, asked for one after the other by one connection."""

from __future__ import annotations

import http.client
import json
import secrets
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ops.site_process import manage, running_site, variables
from vectors.benchmarking.errors import NotMeasured
from vectors.benchmarking.machine import describe
from vectors.benchmarking.web_client import HOST
from vectors.progress import track

from . import browser

# Page, address, target of the median in milliseconds. {prompt} is the id of one, {page} is one far on.
PAGES: Final = (
    ("home", "/admin/", 60),
    ("home, again", "/admin/home/", 60),
    ("search", "/admin/search/?q=rewrite+my+resume", 40),
    ("search, Japanese", "/admin/search/?q=%E8%A6%81%E7%B4%84", 40),
    ("search, no query yet", "/admin/search/", 40),
    ("prompt", "/admin/prompts/prompt/{prompt}/change/", 60),
    ("its versions", "/admin/prompts/prompt/{prompt}/versions/", 60),
    ("its labels", "/admin/prompts/prompt/{prompt}/labels/", 60),
    ("prompts", "/admin/prompts/prompt/", 80),
    ("prompts, far on", "/admin/prompts/prompt/?p={page}", 80),
    ("prompts with a word", "/admin/prompts/prompt/?q=resume", 80),
    ("versions", "/admin/prompts/promptversion/", 80),
    ("evaluations", "/admin/prompts/evaluation/", 80),
    ("audit log", "/admin/ops/auditentry/", 80),
)
_FAR, _A_PAGE = 90, 50  # of at most 100 pages with so many rows
_WARM_UP: Final = 3


@dataclass(frozen=True, slots=True)
class Page:
    """Milliseconds until the whole page was there, the server's time and the way through this machine."""

    name: str
    p50_ms: float
    p95_ms: float
    target_ms: int
    kilobytes: float


def run(*, prompts: int, rounds: int, with_browser: bool, quiet: bool) -> dict[str, Any]:
    """{"machine", "prompts", "pages", "browser"}; raises ``NotMeasured``."""
    if with_browser:
        browser.check()
    with tempfile.TemporaryDirectory(prefix="afn-benchmark-console-") as name:
        folder = Path(name)
        # One key of all processes: they sign the session that the browser shows.
        own = {"AFN_RUN_DIR": str(folder / "run"), "SECRET_KEY": secrets.token_urlsafe(48)}
        manage(variables(folder, **own), "collectstatic", "--noinput", "--verbosity", "0")  # so, compressed
        with running_site(folder, workers=1, threads=2, **own) as (port, _key):
            made = _fill(variables(folder, **own), prompts)
            made["page"] = str(min(_FAR, max(1, prompts // _A_PAGE)))
            cookie = f"sessionid={made['session']}"
            addresses = [(name, path.format(**made), target) for name, path, target in PAGES]
            steps = track(addresses, "Asking for pages", len(addresses), quiet=quiet)
            pages = [_measure(port, cookie, *one, rounds=rounds) for one in steps]
            seen = browser.look(port, made["session"], addresses) if with_browser else None
    return {
        "machine": describe({}),
        "prompts": prompts,
        "pages": [asdict(page) for page in pages],
        "browser": seen and [asdict(one) for one in seen],
    }


def _fill(own: dict[str, str], prompts: int) -> dict[str, str]:
    code = f"from ops.console_benchmark.filling import main; main({prompts})"
    made = json.loads(manage(own, "shell", "--no-imports", "-v", "0", "-c", code))
    manage(own, "embed_prompts")
    return {str(key): str(value) for key, value in made.items()}


def _measure(port: int, cookie: str, name: str, path: str, target: int, *, rounds: int) -> Page:
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    headers = {"Cookie": cookie, "Accept-Encoding": "gzip", "Accept-Language": "en"}
    taken, size = [], 0
    for number in range(rounds + _WARM_UP):
        started = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        size = len(answer.read())
        if answer.status != 200:
            raise NotMeasured(f"GET {path}: expected status 200, got {answer.status}")
        if number >= _WARM_UP:
            taken.append(1_000 * (time.perf_counter() - started))
    connection.close()
    p95 = statistics.quantiles(taken, n=20)[-1]
    return Page(name, statistics.median(taken), p95, target, size / 1_000)

"""kill -9 of a process of the web server while several write by HTTP."""

from __future__ import annotations

import random
import time
from typing import Any, Final

import psutil

from vectors.benchmarking.errors import NotMeasured
from vectors.progress import track

from .. import results
from ..place import WEB_WORKERS, opened
from ..processes import Process, wait_for
from ..results import Options
from ..watching import Watch
from ..writing import Writers, account, problems_of

NAME: Final = "web-killed"
TARGET: Final = "0 acknowledged rows lost or doubled; 200 again within 5 s"
ROUNDS: Final = 50
_WRITERS: Final = 4
_LIMIT: Final = 5.0
# Granian takes a process that dies within 5.5 s of its start for a program that cannot start, and ends.
_OLD_ENOUGH: Final = 6.0
# What its log says of each that takes requests.
_SERVES: Final = "Started worker-"


def run(options: Options) -> dict[str, Any]:
    rng = random.Random(options.seed)  # noqa: S311 - it chooses moments
    outages: list[float | None] = []
    since: dict[int, float] = {}
    with opened() as place:
        place.redis()
        place.set_up()
        site, address = place.site()
        prompt = place.client(address)
        page = f"{address}/admin/login/"
        with Watch(page, every=0.05) as watch, Writers(lambda: place.client(address), _WRITERS) as writers:
            if writers.wait_for_one(30) is None:
                raise NotMeasured(f"nothing can be written: {dict(writers.said.statuses)}")
            for number in track(range(options.rounds), NAME, options.rounds, quiet=options.quiet):
                victim = rng.choice(_ready_to_die(site, since, number))
                time.sleep(rng.uniform(0.0, 0.5))
                killed = time.monotonic()
                victim.kill()
                writers.wait_for_one(_LIMIT)
                outages.append(watch.seconds_until(200, killed, within=30.0))
            wait_for(lambda: len(_processes(site)) == WEB_WORKERS)
            longest_gap = watch.longest_without(200)
        found = place.look("rows")
        lists = prompt.get("/api/v1/prompts", params={"limit": 1}).status_code
    balance = account(writers.said, found["stored"])
    problems = problems_of(balance) + results.too_long("200 again", longest_gap, _LIMIT)
    problems += [f"prompts with other versions than they say: {found['torn'][:3]}"] if found["torn"] else []
    problems += [] if found["integrity"] == "ok" else [f"integrity: {found['integrity']}"]
    problems += [] if lists == 200 else [f"the list of prompts answers {lists}"]
    measured = {
        **balance,
        "integrity": found["integrity"],
        "answers": dict(writers.said.statuses),
        "longest_until_200_seconds": results.longest(outages),
        "longest_without_200_seconds": longest_gap,
    }
    return results.result(NAME, options, TARGET, measured, problems)


def _processes(site: Process) -> list[psutil.Process]:
    """Those that answer; where Python starts them by `spawn`, there is one of its own beside them."""
    found = []
    for one in site.family():
        try:
            if one.ppid() == site.pid and "resource_tracker" not in " ".join(one.cmdline()):
                found.append(one)
        except psutil.Error:
            continue
    return found


def _ready_to_die(site: Process, since: dict[int, float], killed: int) -> list[psutil.Process]:
    """All of them, once all serve and are old enough; `since` keeps when each was seen first."""

    def look() -> list[psutil.Process]:
        found, now = _processes(site), time.monotonic()
        ages = [now - since.setdefault(one.pid, now) for one in found]
        is_serving = site.said().count(_SERVES) >= WEB_WORKERS + killed
        return found if len(found) == WEB_WORKERS and min(ages) > _OLD_ENOUGH and is_serving else []

    found = wait_for(look, 90.0)
    if not found:
        raise NotMeasured(f"the web server did not replace a process: {site.said()[-300:].strip()}")
    return found

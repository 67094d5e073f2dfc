"""The libSQL server hangs (SIGSTOP) or is gone (kill -9), and comes back."""

from __future__ import annotations

import random
import signal
import time
from typing import Any, Final

import httpx2

from ops.sqld_process import find_sqld
from vectors.benchmarking.errors import NotMeasured
from vectors.progress import track

from .. import results
from ..place import opened
from ..results import Options
from ..watching import READY, TRUTH_SECONDS, Watch, is_told
from ..writing import PROMPTS
from .server_killed import NO_SQLD

NAME: Final = "database-gone"
TARGET: Final = "writes 503 within 3 s, /health/live 200, /health/ready 503; it recovers by itself"
ROUNDS: Final = 4
_LIMIT: Final = 3.0
# Of a server nearby: the default of 15 s is for one that is far away, and a write waits for it so long.
_SETTINGS: Final = {"AFN_SERVER_TIMEOUT": "2"}


def run(options: Options) -> dict[str, Any]:
    if (program := find_sqld()) is None:
        return results.skipped(NAME, options, TARGET, NO_SQLD)
    rng = random.Random(options.seed)  # noqa: S311 - it chooses moments
    statuses: dict[str, list[int]] = {"hangs": [], "gone": []}
    slowest: dict[str, float] = {"hangs": 0.0, "gone": 0.0}
    red, green, back = [], [], []
    with opened(**_SETTINGS) as place:
        place.redis()
        server = place.sqld(program)
        place.set_up()
        _, address = place.site()
        client = place.client(address)
        with Watch(f"{address}{READY}") as ready, Watch(f"{address}/health/live") as live:
            if ready.seconds_until(200, time.monotonic(), within=60.0) is None:
                raise NotMeasured(f"it is not ready: {ready.answers[-1].parts}")
            if _write(client, "before")[0] != 201:
                raise NotMeasured("nothing can be written")
            for number in track(range(options.rounds), NAME, options.rounds, quiet=options.quiet):
                how = ("hangs", "gone")[number % 2]
                time.sleep(rng.uniform(0.0, 1.0))
                since = time.monotonic()
                server.signal(signal.SIGSTOP) if how == "hangs" else server.kill()
                while time.monotonic() < since + TRUTH_SECONDS / 2:
                    status, seconds = _write(client, f"during {number} {time.monotonic()}")
                    statuses[how].append(status)
                    slowest[how] = max(slowest[how], seconds)
                red.append(ready.seconds_until(503, since))
                since = time.monotonic()
                server.signal(signal.SIGCONT) if how == "hangs" else place.start_sqld(server)
                back.append(_seconds_until_written(client, f"after {number}"))
                green.append(ready.seconds_until(200, since))
        dead = {one.status for one in live.answers} - {200}
        slowest_live = max(one.seconds for one in live.answers)
        found = place.look("rows")
    measured = {
        "writes_refused": {how: len(seen) for how, seen in statuses.items()},
        "slowest_write_seconds": slowest,
        "slowest_live_seconds": slowest_live,
        "written_again_seconds": results.longest(back),
        "ready_red_seconds": results.longest(red),
        "ready_green_seconds": results.longest(green),
        "integrity": found["integrity"],
        "settings": _SETTINGS,
    }
    problems = [
        f"{how}: writes were answered {sorted(set(seen) - {503})}"
        for how, seen in statuses.items()
        if set(seen) - {503}
    ]
    for how, seconds in slowest.items():
        problems += results.too_long(f"a write while it {how}", seconds, _LIMIT)
    problems += [f"/health/live answered {sorted(dead)}"] if dead else []
    problems += results.too_long("/health/live", slowest_live, _LIMIT)
    problems += results.too_long("written again", results.longest(back), TRUTH_SECONDS)
    problems += is_told("database away", results.longest(red))
    problems += is_told("database back", results.longest(green))
    problems += [] if found["integrity"] == "ok" else [f"integrity: {found['integrity']}"]
    return results.result(NAME, options, TARGET, measured, problems)


def _write(client: httpx2.Client, name: str) -> tuple[int, float]:
    """Status (0: none) and seconds."""
    started = time.monotonic()
    body = {"name": f"faults/{name}", "title": name, "content": "Written while the database was away."}
    try:
        status = client.post(PROMPTS, json=body).status_code
    except httpx2.HTTPError:
        status = 0
    return status, time.monotonic() - started


def _seconds_until_written(client: httpx2.Client, name: str) -> float | None:
    started, number = time.monotonic(), 0
    while time.monotonic() - started < 2 * TRUTH_SECONDS:
        if _write(client, f"{name} {number}")[0] == 201:
            return time.monotonic() - started
        number += 1
        time.sleep(0.1)
    return None

"""kill -9 of Redis, which stays away for a while and comes back empty."""

from __future__ import annotations

import random
import time
from typing import Any, Final

from vectors.benchmarking.errors import NotMeasured
from vectors.progress import track

from .. import catching_up, results
from ..local_http import Receiver, serving
from ..place import opened
from ..results import Options
from ..visiting import Visitor
from ..watching import READY, Watch, is_told

NAME: Final = "redis-killed"
TARGET: Final = (
    "pages and API 200, p99 by less than 0.2 s slower; all embedded and told afterwards, without help"
)
ROUNDS: Final = 1
_ADDED_MS: Final = 200.0
_SETTINGS: Final = {"AFN_READY_NEEDS": "database search redis workers"}


def run(options: Options) -> dict[str, Any]:
    rng = random.Random(options.seed)  # noqa: S311 - it chooses moments
    red: list[float | None] = []
    green: list[float | None] = []
    with serving(Receiver()) as receiver, opened(AFN_OUTGOING_ALLOWED=receiver.host, **_SETTINGS) as place:
        redis = place.redis()
        place.set_up()
        place.look("add_webhook", url=receiver.url)
        _, address = place.site()
        place.worker()
        place.beat()
        visitor = Visitor(place.client(address), place.password)
        with Watch(f"{address}{READY}") as watch:
            if watch.seconds_until(200, time.monotonic(), within=60.0) is None:
                raise NotMeasured(f"it is not ready: {watch.answers[-1].parts}")
            visitor.visit(3.0)  # models are read, caches filled
            before = visitor.visit(options.seconds)
            during = before.empty()
            for _ in track(range(options.rounds), NAME, options.rounds, quiet=options.quiet):
                time.sleep(rng.uniform(0.0, 1.0))
                killed = time.monotonic()
                redis.kill()
                during.add(visitor.visit(options.seconds))
                red.append(watch.seconds_until(503, killed))
                back = time.monotonic()
                place.start_redis(redis)
                green.append(watch.seconds_until(200, back, within=60.0))
            caught_up = catching_up.wait(place, receiver)
        found, events = place.look("embeddings"), place.look("events")
    added = during.added_to(before)
    problems = catching_up.problems(found, events, receiver, caught_up)
    problems += [f"{count} × status {status}" for status, count in during.failed.items()]
    problems += (
        [] if found["prompts"] == visitor.written else [f"{found['prompts']} prompts of {visitor.written}"]
    )
    slow = {name: one["p99"] for name, one in added.items() if one["p99"] >= _ADDED_MS}
    problems += [f"{name}: {ms:.0f} ms slower (p99)" for name, ms in slow.items()]
    problems += is_told("Redis gone", results.longest(red)) + is_told("Redis back", results.longest(green))
    measured = {
        "down_seconds": options.seconds,
        "requests": during.count,
        "before_ms": before.figures(),
        "during_ms": during.figures(),
        "added_ms": added,
        **catching_up.measured(found, events, receiver, caught_up),
        "ready_red_seconds": results.longest(red),
        "ready_green_seconds": results.longest(green),
    }
    return results.result(NAME, options, TARGET, measured, problems)

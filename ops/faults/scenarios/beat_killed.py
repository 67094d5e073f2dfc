"""kill -9 of the scheduler that is at work, beside another one that takes over."""

from __future__ import annotations

import time
from typing import Any, Final

from vectors.benchmarking.errors import NotMeasured
from vectors.progress import track

from .. import results
from ..place import opened
from ..processes import wait_for
from ..results import Options

NAME: Final = "beat-killed"
TARGET: Final = "no double effect by two schedulers; the other takes over within 30 s"
ROUNDS: Final = 3
_TOGETHER_SECONDS: Final = 5.0
_LIMIT: Final = 30.0
# Two jobs of a schedule of one second that are closer than this come from two schedulers.
_LEAST_GAP: Final = 0.5


def run(options: Options) -> dict[str, Any]:
    taken: list[float | None] = []
    with opened() as place:
        place.redis()
        place.set_up()
        place.look("each_second")
        place.worker()
        beats, started = [place.beat("beat-0"), place.beat("beat-1")], time.monotonic()
        if not wait_for(lambda: place.look("jobs")["count"], 60.0):
            raise NotMeasured("no scheduler started anything")
        for _ in track(range(options.rounds), NAME, options.rounds, quiet=options.quiet):
            time.sleep(_TOGETHER_SECONDS)
            holder = place.look("holder")
            for beat in beats:
                if beat.pid == holder:
                    beat.kill()
                    taken.append(_seconds_until_more(place))
                    place.start_beat(beat)
        time.sleep(_TOGETHER_SECONDS)
        found, passed = place.look("jobs"), time.monotonic() - started
    problems = results.too_long("the other takes over", results.longest(taken), _LIMIT)
    if len(taken) != options.rounds:
        problems.append(f"{options.rounds - len(taken)} rounds without a scheduler at work")
    problems += [f"{found['doubled']} moments started two jobs"] if found["doubled"] else []
    problems += [f"{found['failed']} jobs failed"] if found["failed"] else []
    if found["least_gap_seconds"] is not None and found["least_gap_seconds"] < _LEAST_GAP:
        problems.append(f"two jobs within {found['least_gap_seconds']:.2f} s: two schedulers at work")
    measured = {
        "jobs": found["count"],
        "seconds": passed,
        "moments_doubled": found["doubled"],
        "least_gap_seconds": found["least_gap_seconds"],
        "longest_taking_over_seconds": results.longest(taken),
    }
    return results.result(NAME, options, TARGET, measured, problems)


def _seconds_until_more(place: Any) -> float | None:
    killed, before = time.monotonic(), place.look("jobs")["count"]
    # One that the dead one had told a worker of may still come.
    more = wait_for(lambda: place.look("jobs")["count"] > before + 1, 60.0)
    return time.monotonic() - killed if more else None

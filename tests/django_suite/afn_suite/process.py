"""Runs one module of the suite on one engine in a process of its own and reads its record."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SUITE_FOLDER = Path(__file__).resolve().parents[1]
PROJECT = SUITE_FOLDER.parents[1]
NO_SERVER: Mapping[str, str] = {}
PROBLEMS = ("failure", "error", "unexpected success")


@dataclass
class ModuleRun:
    """What one module did on one engine: counts as unittest prints them, and each test's outcomes."""

    module: str
    engine: str
    log: Path
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    outcomes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    traces: list[tuple[str, str, str]] = field(default_factory=list)
    crash: str = ""

    def tests_with(self, *events: str) -> set[str]:
        """Return the tests that had any of `events`."""
        return {test for test, seen in self.outcomes.items() if seen & set(events)}

    @property
    def skipped(self) -> set[str]:
        """Tests that did not really run: skipped, or never started because their class was skipped."""
        never_started = {test for test, seen in self.outcomes.items() if seen == {"collected"}}
        return self.tests_with("skipped") | (never_started if not self.crash else set())


def run_module(
    module: str,
    engine: str,
    tests: Path,
    logs: Path,
    *,
    timeout: float,
    ignore_declared: bool = False,
    server: Mapping[str, str] = NO_SERVER,
) -> ModuleRun:
    """Run `module` with Django's runtests.py on `engine`; `timeout` in seconds counts as a crash.

    `server`: the variables that lead settings.py to a libSQL server.
    """
    stem = f"{engine}.{module}"
    log, record = logs / f"{stem}.log", logs / f"{stem}.jsonl"
    record.unlink(missing_ok=True)
    run = ModuleRun(module, engine, log)
    options = ["--settings=afn_suite.settings", "--parallel=1", "--noinput"]
    started = time.monotonic()
    with log.open("w", encoding="utf-8") as output:
        try:
            ended = subprocess.run(
                [sys.executable, "runtests.py", *options, module],
                cwd=tests,
                env=environment(engine, record, ignore_declared=ignore_declared) | server,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                check=False,
            )
            status = f"exit status {ended.returncode}"
        except subprocess.TimeoutExpired:
            status = f"no end after {timeout:g} s"
    run.seconds = time.monotonic() - started
    read_record(run, record, status)
    return run


def environment(engine: str, record: Path, *, ignore_declared: bool) -> dict[str, str]:
    """Return the process's environment: the engine importable, the project's settings out of the way."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "AFN_", "PYTEST_"))}
    path = [str(SUITE_FOLDER), str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join(path),
        "AFN_SUITE_ENGINE": engine,
        "AFN_SUITE_RECORD": str(record),
        "AFN_SUITE_IGNORE_DECLARED": "1" if ignore_declared else "",
    }


def read_record(run: ModuleRun, record: Path, status: str) -> None:
    """Fill `run` from the runner's JSON lines; a record without an end is a crash."""
    events = [json.loads(line) for line in record.read_text("utf-8").splitlines()] if record.exists() else []
    running = ""
    for event in events:
        read_event(run, event)
        if event["event"] in ("start", "stop"):
            running = event["test"] if event["event"] == "start" else ""
    if not events or events[-1]["event"] != "finished":
        run.counts["tests"] = sum(event["event"] == "start" for event in events)
        run.crash = f"{status}, {f'in {running}' if running else 'outside of a test'}; see {run.log}"
    elif not run.counts["tests"]:
        run.crash = f"no test was found; see {run.log}"


def read_event(run: ModuleRun, event: dict[str, Any]) -> None:
    """Count one event and keep its traceback."""
    kind, test = event["event"], event["test"]
    if kind == "finished":
        run.counts["tests"] = event["tests"]
        return
    if kind == "stop":
        return
    run.outcomes[test].add(kind)
    if kind not in ("collected", "start"):
        run.counts[kind] += 1
    if kind in PROBLEMS:
        run.traces.append((kind, test, event.get("trace", "")))


def test_path(test: str) -> str:
    """Return the dotted name behind an id; errors in setUpClass are named 'setUpClass (a.b.Class)'."""
    inside = re.fullmatch(r"\w+ \((.+)\)", test)
    return inside[1] if inside else test

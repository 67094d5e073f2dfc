"""Processes that are killed on purpose, and are gone in the end whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil

from vectors.benchmarking.errors import NotMeasured

_SHOWN = 300
_POLITE_SECONDS = 8.0
T = TypeVar("T")


class Process:
    """One command, which can be started again after its death. What it prints goes to `log`."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._command, self._environment, self._log = list(command), dict(environment), log
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._running is None:
            raise NotMeasured(f"{self._command[0]} is not running")
        return self._running.pid

    @property
    def is_alive(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def start(self, is_ready: Callable[[], bool], seconds: float = 90.0) -> None:
        """Start it, in a session of its own so that Ctrl-C ends us first, and wait until it is ready."""
        self.end()
        with self._log.open("ab") as output:
            self._running = subprocess.Popen(  # noqa: S603
                self._command,
                env=self._environment,
                cwd=self._environment.get("PYTHONPATH"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        if not wait_for(lambda: is_ready() or not self.is_alive, seconds) or not self.is_alive:
            raise NotMeasured(f"{self._log.stem} did not start: {self.said()[-_SHOWN:].strip()}")

    def family(self) -> list[psutil.Process]:
        """Those that it has started, and theirs."""
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """SIGKILL, at once, to it and to all that it has started: as a machine dies."""
        if self._running is None:
            return
        family = self.family()
        self._running.kill()
        for one in family:
            _kill(one)
        self._running.wait()
        psutil.wait_procs(family, timeout=_POLITE_SECONDS)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def end(self) -> None:
        """Politely, and by force where that takes too long; of a family nobody stays."""
        if self._running is None:
            return
        family = self.family()
        if self._running.poll() is None:
            self._running.send_signal(signal.SIGCONT)  # one that is stopped would never hear of it
            self._running.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._running.wait(_POLITE_SECONDS)
        self.kill()
        for one in family:
            _kill(one)

    def said(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""


def wait_for(ask: Callable[[], T], seconds: float = 60.0, pause: float = 0.05) -> T:
    """What `ask` says as soon as that counts as true, and what it says in the end where it never does."""
    end = time.monotonic() + seconds
    while not (answer := ask()) and time.monotonic() < end:
        time.sleep(pause)
    return answer


def _kill(one: psutil.Process) -> None:
    try:
        one.kill()  # psutil makes sure that the number is still that process's
    except psutil.NoSuchProcess:
        return

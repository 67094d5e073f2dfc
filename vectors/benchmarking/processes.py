"""Processes of their own for what is measured: one thread, their own memory, and gone when we are."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import vectors
from vectors.benchmarking.errors import NotMeasured

_ROOT: Final = Path(vectors.__file__).resolve().parent.parent
# By which variables the libraries of all engines, AFN's among them, are told to use one thread.
ONE_THREAD: Final = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "RAYON_NUM_THREADS"),
    *("LANCE_CPU_THREADS", "TOKIO_WORKER_THREADS"),
)
_SHOWN: Final = 300


def environment(folder: Path) -> dict[str, str]:
    """Of this process, with one thread; what libraries keep in a home or a cache goes into `folder`."""
    path = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    own = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "RUST_LOG": "off"}
    places = dict.fromkeys(
        ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"), str(folder)
    )
    return {**os.environ, **own, **places, **dict.fromkeys(ONE_THREAD, "1")}


def run_json(
    command: Sequence[str], folder: Path, *, input: str = "", is_shown: bool = False
) -> dict[str, Any]:
    """Run a command to its end; the JSON object on the last line that it printed.

    What it says on stderr is shown to the user, or kept for the error. Raises NotMeasured, with the last
    line of stderr, where it fails. An interruption ends it with all that it started.
    """
    process = subprocess.Popen(  # noqa: S603
        command,
        env=environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if is_shown else subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        out, said = process.communicate(input)
    finally:
        _end(process)
    if process.returncode:
        raise NotMeasured(_reason(process.returncode, said))
    try:
        answer: dict[str, Any] = json.loads(out.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise NotMeasured("it printed no JSON") from error
    return answer


def run_module(
    python: str | Path, module: str, arguments: Sequence[str], folder: Path, *, input: str = ""
) -> dict[str, Any]:
    """The same for a module of this package that does without Django."""
    return run_json([str(python), "-m", f"vectors.benchmarking.{module}", *arguments], folder, input=input)


@contextmanager
def folder_in(above: Path) -> Iterator[Path]:
    """A folder for one process, gone with it: what engines leave does not add up."""
    with tempfile.TemporaryDirectory(dir=above) as name:
        yield Path(name)


@contextmanager
def interruptible() -> Iterator[None]:
    """Within, a polite signal to end leaves through the `finally`s, so that what is temporary goes away."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _reason(status: int, said: str | None) -> str:
    lines = [line.strip() for line in (said or "").splitlines() if line.strip()]
    if status < 0:
        return f"its process was ended by {signal.Signals(-status).name}"
    return lines[-1][:_SHOWN] if lines else f"its process ended with status {status}"


def own_command(*arguments: str) -> list[str]:
    """A management command of this project, by this Python."""
    return [sys.executable, "-m", "django", *arguments]

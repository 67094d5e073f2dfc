"""Looking at a place's database, by a process that has it as its own: it alone knows where it is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vectors.benchmarking.errors import NotMeasured

_SERVE = "from ops.faults.inside import serve; serve()"


class Looker:
    """Asks functions of `inside` by name, one after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, what: str, **arguments: Any) -> Any:
        """Raises NotMeasured where that fails, as it does while the database is away."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps([what, arguments]) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            raise NotMeasured(f"the process that looks at the database ended while it did: {what}")
        answer = json.loads(line)
        if "error" in answer:
            raise NotMeasured(f"{what}: {answer['error']}")
        return answer["value"]

    @classmethod
    @contextmanager
    def started(cls, environment: Mapping[str, str], log: Path) -> Iterator[Looker]:
        with log.open("w") as errors:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "django", "shell", "--no-imports", "-v", "0", "-c", _SERVE],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        with process:
            try:
                yield cls(process)
            finally:
                process.kill()

"""What the commands for backups have in common."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ops.environments.base import EnvironmentProblem
from vectors import commands
from vectors.progress import Meter


class BackupCommand(commands.Command):
    """A command whose problems are one line with the next step, and whose progress is a bar."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON, no progress")

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except EnvironmentProblem as problem:
            raise CommandError(str(problem)) from problem
        except KeyboardInterrupt:
            raise CommandError("Interrupted: nothing was changed.", returncode=130) from None

    def print_json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, ensure_ascii=False))


class Steps:
    """Progress of work that has several steps, each with a bar of its own."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._step = ""
        self._meter: Meter | None = None

    def __call__(self, step: str, done: int, total: int) -> None:
        if step != self._step:
            self.close()
            self._step = step
            self._meter = Meter(step, quiet=self._quiet).__enter__()
        if self._meter is not None and total:
            self._meter.show(done, total)

    def close(self) -> None:
        if self._meter is not None:
            self._meter.__exit__()
            self._meter = None

    def __enter__(self) -> "Steps":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def size(count: int) -> str:
    """Bytes as people read them."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"

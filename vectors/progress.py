"""Progress of a long command: a bar on a terminal, plain lines in a log, nothing for a machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO, TypeVar

T = TypeVar("T")

_SECONDS_BETWEEN_LINES = 2.0


def track(
    items: Iterable[T],
    label: str,
    total: int | None = None,
    *,
    quiet: bool = False,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[T]:
    """Yield `items`, showing on `stream` (default: stderr) how many have been done.

    A terminal gets a bar; anything else a line every two seconds and one at the end, if anything was done;
    `quiet` shows nothing.
    """
    out = stream or sys.stderr
    if quiet:
        yield from items
    elif out.isatty():
        yield from _bar(items, label, total, out)
    else:
        yield from _lines(items, label, total, out, clock)


class Meter:
    """Progress that is told how far a function is: `show` takes what is done, and out of how many."""

    def __init__(self, label: str, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._label, self._quiet, self._out = label, quiet, stream or sys.stderr
        self._bar: Any = None
        self._task: Any = None
        self._said = time.monotonic()

    def __enter__(self) -> Meter:
        if not self._quiet and self._out.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(file=self._out), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, total: int) -> None:
        """Say that `done` of `total` steps are done: a bar on a terminal, now and then a line elsewhere."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
        elif not self._quiet and time.monotonic() - self._said >= _SECONDS_BETWEEN_LINES:
            self._out.write(f"{self._label}: {done:,}/{total:,}\n")
            self._said = time.monotonic()


def _bar(items: Iterable[T], label: str, total: int | None, out: TextIO) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import track as rich_track

    yield from rich_track(items, description=label, total=total, console=Console(file=out))


def _lines(
    items: Iterable[T], label: str, total: int | None, out: TextIO, clock: Callable[[], float]
) -> Iterator[T]:
    of = f"/{total:,}" if total is not None else ""
    done, said, last = 0, -1, clock()
    for item in items:
        yield item
        done += 1
        if clock() - last >= _SECONDS_BETWEEN_LINES:
            out.write(f"{label}: {done:,}{of}\n")
            said, last = done, clock()
    if said != done and done:
        out.write(f"{label}: {done:,}{of}\n")

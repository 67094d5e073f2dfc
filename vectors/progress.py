"""Progress of a long command: a bar on a terminal, plain lines in a log, nothing for a machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO, TypeVar

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

    A terminal gets a bar; anything else a line every two seconds and one at the end; `quiet` shows nothing.
    """
    out = stream or sys.stderr
    if quiet:
        yield from items
    elif out.isatty():
        yield from _bar(items, label, total, out)
    else:
        yield from _lines(items, label, total, out, clock)


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
    if said != done:
        out.write(f"{label}: {done:,}{of}\n")

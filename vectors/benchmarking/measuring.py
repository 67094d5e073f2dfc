"""Time, memory and disk, taken alike of every engine. Needs NumPy alone: peers run outside of Django."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Search = Callable[[Matrix], Sequence[int]]

ROWS_FILE: Final = "rows.npy"
QUERIES_FILE: Final = "queries.npy"
WARM_UP: Final = 20
INSERTS: Final = 50
# A search so slow that 200 of them take longer is measured by fewer: 10 at least.
_LEAST: Final = 10
_ROUNDS: Final = 3
_SECONDS: Final = 20.0
_WARM_UP_SECONDS: Final = 5.0


def search_all(
    search: Search, queries: Matrix, clock: Callable[[], float] = time.perf_counter
) -> dict[str, Any]:
    """Search one query after the other: `found` keys and `times_ms`, of as many as 20 seconds allow.

    Twenty searches before that, or those of five seconds, are not counted. Where time is left, all is done
    up to twice more, and the round with the least median counts: others may have been at work in the others.
    `cpu_share` is the processor time in a second of it; below 1, something else had the processor.
    """
    started = clock()
    for query in islice(cycle(queries), WARM_UP):
        search(query)
        if clock() - started > _WARM_UP_SECONDS:
            break
    started = clock()
    best = first = _round(search, queries, clock, started)
    took = clock() - started
    for _ in range(_ROUNDS - 1):
        if clock() - started + took > _SECONDS:
            break
        best = min(best, _round(search, queries, clock, started), key=lambda one: one.median)
    return {"found": first.found, "times_ms": best.times_ms, "cpu_share": best.cpu_share}


@dataclass(frozen=True, slots=True)
class _Round:
    found: list[list[int]]
    times_ms: list[float]
    cpu_share: float

    @property
    def median(self) -> float:
        return statistics.median(self.times_ms)


def _round(search: Search, queries: Matrix, clock: Callable[[], float], started: float) -> _Round:
    found: list[list[int]] = []
    times: list[float] = []
    begun, used = clock(), time.process_time()
    for query in queries:
        before = clock()
        keys = search(query)
        times.append(1000 * (clock() - before))
        found.append([int(key) for key in keys])
        if len(times) >= _LEAST and clock() - started > _SECONDS:
            break
    seconds = max(clock() - begun, 1e-9)
    return _Round(found, times, (time.process_time() - used) / seconds)


def try_inserts(
    insert: Callable[[int, Matrix], object], search: Search, first: int, vectors: Matrix
) -> dict[str, Any]:
    """`insert_ms`: the median of adding one row, number `first` and on, each of which the next search finds.

    None where one is not found; `insert_error` says so.
    """
    times = []
    for number, vector in enumerate(vectors, start=first):
        before = time.perf_counter()
        insert(number, vector)
        times.append(1000 * (time.perf_counter() - before))
        if number not in search(vector):
            error = f"the next search did not find row {number - first + 1} of {len(vectors)}"
            return {"insert_ms": None, "insert_error": error}
    return {"insert_ms": statistics.median(times)}


def new_vectors(queries: Matrix) -> Matrix:
    """Fifty embeddings (or half as many as the queries) that no row has: each lies between two queries."""
    count = min(INSERTS, len(queries) // 2)
    directions = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    return np.ascontiguousarray(0.6 * directions[:count] + 0.4 * directions[-count:], dtype=np.float32)


def read_chunks(path: Path, rows: int) -> Iterator[tuple[int, Matrix]]:
    """(number of the first, float32 (n, d)) for runs of a .npy file; it is mapped for a run at a time only.

    So the file does not count as memory of who reads it.
    """
    total = len(np.load(path, mmap_mode="r"))
    for start in range(0, total, rows):
        yield start, np.array(np.load(path, mmap_mode="r")[start : start + rows], dtype=np.float32)


def folder_bytes(folder: Path) -> int:
    """The sizes of the files of a folder, without what a database shares while it is open."""
    return sum(
        path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-shm")
    )


def peak_mb() -> float:
    """The most memory (resident, 10⁶ bytes) that this process has had."""
    if kilobytes := _from_proc("VmHWM"):  # what getrusage says on Linux may be the parent's
        return kilobytes * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def resident_mb() -> float:
    """The memory (resident, 10⁶ bytes) that this process has now."""
    if kilobytes := _from_proc("VmRSS"):
        return kilobytes * 1024 / 1e6
    command = ["ps", "-o", "rss=", "-p", str(os.getpid())]
    return int(subprocess.run(command, check=True, capture_output=True).stdout) * 1024 / 1e6  # noqa: S603


def _from_proc(name: str) -> int:
    """Kilobytes that Linux says of this process, 0 elsewhere."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    return 0

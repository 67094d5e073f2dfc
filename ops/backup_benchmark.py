"""Backups of a large database while others write to it: how fast, how long writers wait, and how long a drill
and a restore take."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from vectors.benchmarking.errors import NotMeasured
from vectors.benchmarking.machine import describe
from vectors.progress import track

from .site_process import manage, variables

DIMENSIONS: Final = 1_536
_COLLECTION: Final = "benchmark"
_BLOCK: Final = 5_000
_TEXT: Final = "Explain the topic step by step to {{role}}, with examples, and name what remains open. "
# A wait below it is the work of writing itself, beside others on the same processors.
_WAIT_MS: Final = 50.0
# Writes one row after the other and prints how long each took, until its input ends.
_WRITER: Final = """
import json, select, sys, time
from django.db import connection
waits = []
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO benchmark_writes (text) VALUES (%s)", ["x" * 200])
    waits.append(1000 * (time.perf_counter() - started))
    time.sleep(0.005)
print(json.dumps(waits))
"""


def run(*, items: int, key: bool, quiet: bool) -> dict[str, Any]:
    """Measure: {"machine", "items", "bytes", "backup", "drill", "restore", "writers"}; raises NotMeasured."""
    with tempfile.TemporaryDirectory(prefix="afn-benchmark-backups-") as name:
        folder = Path(name)
        settings = {
            "AFN_ENVIRONMENTS_DIR": str(folder / "environments"),
            "AFN_BACKUPS_DIR": str(folder / "backups"),
        }
        if key:
            from .backups.keys import make_key

            make_key(folder / "key")
            settings["AFN_BACKUP_KEY"] = (folder / "key").read_text().split()[-1]
        own = variables(folder, **settings)
        manage(own, "migrate", "--verbosity", "0")
        _fill(folder, own, items, quiet=quiet)
        before = _while_writing(own, lambda: time.sleep(10))
        during, made = _timed_while_writing(own, "backup_database", "--json")
        backup = json.loads(made)
        drill = json.loads(manage(own, "drill_backup", "--json"))
        started = time.perf_counter()
        manage(own, "restore_database", backup["path"], "--yes", "--json")
        restored = time.perf_counter() - started
        size = (folder / "afn.db").stat().st_size
    return {
        "machine": describe({}),
        "items": items,
        "dimensions": DIMENSIONS,
        "database_bytes": size,
        "encrypted": key,
        "backup": {
            "bytes": backup["bytes"],
            "seconds": backup["seconds"],
            "steps": backup["steps"],
            "megabytes_per_second": size / 1e6 / backup["seconds"],
        },
        "drill_seconds": drill["seconds"],
        "drill_ok": drill["ok"],
        "restore_seconds": round(restored, 3),
        "writers": {"alone": _figures(before), "during_backup": _figures(during)},
    }


def _fill(folder: Path, own: dict[str, str], items: int, *, quiet: bool) -> None:
    """A collection of random vectors with texts; the file is made piece by piece."""
    rng = np.random.default_rng(1)
    array = np.lib.format.open_memmap(
        folder / "items.npy", mode="w+", dtype=np.float32, shape=(items, DIMENSIONS)
    )
    with (folder / "items.jsonl").open("w") as lines:
        for start in track(range(0, items, _BLOCK), "Making vectors", quiet=quiet):
            end = min(items, start + _BLOCK)
            array[start:end] = rng.standard_normal((end - start, DIMENSIONS), dtype=np.float32)
            for number in range(start, end):
                text = f"{_TEXT * 12}{rng.bytes(12).hex()}"
                lines.write(
                    json.dumps({"key": f"item-{number}", "title": f"Item {number}", "text": text}) + "\n"
                )
    del array
    file = str(folder / "items.npy")
    manage(own, "import_items", _COLLECTION, file, "--dimensions", str(DIMENSIONS), "--json")
    (folder / "items.npy").unlink()
    manage(own, "shell", "-v", "0", "-c", _CREATE)


_CREATE: Final = """
from django.db import connection
connection.cursor().execute("CREATE TABLE benchmark_writes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
"""


def _timed_while_writing(own: dict[str, str], *arguments: str) -> tuple[list[float], str]:
    answers: list[str] = []
    return _while_writing(own, lambda: answers.append(manage(own, *arguments))), answers[0]


def _while_writing(own: dict[str, str], work: Any) -> list[float]:
    """Milliseconds that each write of another process took meanwhile."""
    command = [sys.executable, "-m", "django", "shell", "-v", "0", "-c", _WRITER]
    with subprocess.Popen(  # noqa: S603
        command, env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        if writer.stdout is None or writer.stdout.readline().strip() != "ready":
            raise NotMeasured("The writer did not start.")
        work()
        written, _ = writer.communicate("\n")
    return list(json.loads(written))


def _figures(waits: list[float]) -> dict[str, Any]:
    """`waited_ms` adds up what each write took beyond what writing itself takes on a busy machine."""
    return {
        "writes": len(waits),
        "p50_ms": float(np.percentile(waits, 50)),
        "p99_ms": float(np.percentile(waits, 99)),
        "longest_ms": max(waits),
        "waited_ms": sum(wait - _WAIT_MS for wait in waits if wait > _WAIT_MS),
    }

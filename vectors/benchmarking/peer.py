"""Measure one library: `python -m vectors.benchmarking.peer NAME DATA K` prints one JSON object.

Needs NumPy and that library, not Django. DATA is a folder with rows.npy and queries.npy.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from vectors.benchmarking import measuring
from vectors.benchmarking.libraries.base import Library
from vectors.benchmarking.measuring import Matrix

# Module and class of each; imported only here, in a process that has the library.
PEERS: Final = {
    "libsql": ("libsql", "LibsqlExact"),
    "libsql-diskann": ("libsql", "LibsqlDiskAnn"),
    "libsql-tuned": ("libsql", "LibsqlTuned"),
    "sqlite-vec": ("sqlite_vec", "SqliteVec"),
    "hnswlib": ("hnswlib", "Hnswlib"),
    "usearch": ("usearch", "Usearch"),
    "chromadb": ("chromadb", "Chroma"),
    "chroma-run": ("chroma_run", "ChromaRun"),
    "lancedb": ("lancedb", "Lance"),
}


def measure(name: str, data: Path, k: int) -> dict[str, Any]:
    """Build, search in each of its ways, insert: the figures, in the form of `afn.run_part`."""
    module, made = PEERS[name]
    make: type[Library] = getattr(importlib.import_module(f"vectors.benchmarking.libraries.{module}"), made)
    queries: Matrix = np.load(data / measuring.QUERIES_FILE)
    with tempfile.TemporaryDirectory() as folder:
        library = make(Path(folder), data)
        try:
            return _measured(library, queries, k)
        finally:
            library.close()


def _measured(library: Library, queries: Matrix, k: int) -> dict[str, Any]:
    started = time.perf_counter()
    library.build()
    seconds = time.perf_counter() - started
    library.settle()
    size = measuring.folder_bytes(library.folder)
    ways = []
    for way, settings in library.ways.items():
        figures = measuring.search_all(_search(library, k, settings), queries)
        ways.append({"strategy": way, **figures, **({"cpu_share": None} if library.is_server else {})})
    inserts = measuring.try_inserts(
        library.insert,
        _search(library, k, next(iter(library.ways.values()))),
        library.rows,
        measuring.new_vectors(queries),
    )
    return {
        "ways": ways,
        "build_s": seconds,
        **inserts,
        "disk_bytes": size,
        "file_bytes": size,
        "peak_mb": None if library.is_server else measuring.peak_mb(),
        "versions": {name: version(name) for name in library.versions},
    }


def _search(library: Library, k: int, settings: dict[str, Any]) -> measuring.Search:
    return lambda query: library.search(query, k, **settings)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))) + "\n")

"""Search by vector over HTTP, as an application calls it: AFN's API, and beside it `chroma run`."""

from __future__ import annotations

import json
import struct
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np

from vectors.benchmarking import measuring
from vectors.benchmarking.dataset import from_file
from vectors.benchmarking.figures import Judge
from vectors.benchmarking.machine import describe
from vectors.benchmarking.measuring import Matrix
from vectors.benchmarking.peers import SERVERS, find_installed, measure_peers
from vectors.benchmarking.processes import folder_in
from vectors.benchmarking.truth import kth_similarities
from vectors.benchmarking.web_client import WebClient
from vectors.progress import track

from .site_process import running_site

WORKERS: Final = 2
_PATH: Final = "/api/v1/vectors/collections"
_NAME: Final = "benchmark"
_BATCH: Final = 500
_BYTES: Final = "application/octet-stream"


def run(
    file: Path, *, k: int, rows: int | None, peers: bool, peers_python: Path | None, quiet: bool
) -> dict[str, Any]:
    """Measure: {"machine", "dataset", "rows", "dims", "k", "runs"}, as `vectors.benchmarking.run` does.

    Raises InvalidBenchmark for the file or the Python, NotMeasured where AFN cannot be measured.
    """
    installed = find_installed(peers_python, quiet=quiet) if peers else None
    with tempfile.TemporaryDirectory(prefix="afn-benchmark-api-") as name:
        folder, data = Path(name), Path(name, "data")
        data.mkdir()
        dataset = from_file(file, data, rows=rows, quiet=quiet)
        matrix, queries = dataset.read_rows(), dataset.read_queries()
        kth = kth_similarities(matrix, queries, k, quiet=quiet)
        judge = Judge(matrix, queries, kth, k)
        with folder_in(folder) as home:
            found = measure_site(data, home, k, quiet=quiet)
        runs = judge.runs("afn", found)
        versions: dict[str, str] = {}
        if installed:
            others, versions = measure_peers(SERVERS, installed, judge, data, folder, runs, quiet=quiet)
            runs += others
        return {
            "machine": describe(versions),
            "dataset": f"{dataset.source}, over HTTP",
            "rows": dataset.rows,
            "dims": dataset.dims,
            "k": k,
            "runs": runs,
        }


def measure_site(data: Path, folder: Path, k: int, *, quiet: bool = False) -> dict[str, Any]:
    """Write all rows, search and insert, in the form of `vectors.benchmarking.afn.run_part`."""
    queries: Matrix = np.load(data / measuring.QUERIES_FILE)
    with running_site(folder, workers=WORKERS) as (port, key), closing(_Api(port, key)) as api:
        started = time.perf_counter()
        rows = api.load(data / measuring.ROWS_FILE, quiet=quiet)
        seconds = time.perf_counter() - started
        ways = [
            {"strategy": name, **measuring.search_all(search, queries), "cpu_share": None}
            for name, search in (
                (f"granian, {WORKERS} workers, JSON", lambda query: api.search(query, k)),
                (f"granian, {WORKERS} workers, bytes", lambda query: api.search_by_bytes(query, k)),
            )
        ]
        inserts = measuring.try_inserts(
            lambda number, vector: api.write(number, vector[np.newaxis]),
            lambda query: api.search(query, k),
            rows,
            measuring.new_vectors(queries),
        )
    size = measuring.folder_bytes(folder)
    return {
        "ways": ways,
        "build_s": seconds,
        **inserts,
        "disk_bytes": size,
        "file_bytes": size,
        "peak_mb": None,
    }


class _Api:
    """AFN's API, by one connection."""

    def __init__(self, port: int, key: str) -> None:
        self._web = WebClient(port, {"Authorization": f"Bearer {key}"})
        self._items = f"{_PATH}/{_NAME}/items"
        self._search = f"{_PATH}/{_NAME}/search"

    def close(self) -> None:
        self._web.close()

    def load(self, rows_file: Path, *, quiet: bool) -> int:
        """Make the collection and write all rows; their number."""
        rows, dims = np.load(rows_file, mmap_mode="r").shape
        self._web.send_json(_PATH, {"name": _NAME, "embedder": "", "dimensions": dims})
        chunks = measuring.read_chunks(rows_file, _BATCH)
        for first, chunk in track(chunks, "AFN: writing rows", -(-rows // _BATCH), quiet=quiet):
            self.write(first, chunk)
        return int(rows)

    def write(self, first: int, chunk: Matrix) -> None:
        """Rows numbered from `first` on: a JSON document, its length before it, the vectors behind it."""
        items = [{"key": str(first + at), "text": f"row {first + at}"} for at in range(len(chunk))]
        head = json.dumps({"items": items}).encode()
        body = struct.pack("<Q", len(head)) + head + chunk.astype("<f4").tobytes()
        self._web.send(self._items, body, _BYTES, "PUT")

    def search(self, query: Matrix, k: int) -> Sequence[int]:
        asked = {"vector": query.tolist(), "k": k, "mode": "semantic"}
        return _keys(self._web.send_json(self._search, asked))

    def search_by_bytes(self, query: Matrix, k: int) -> Sequence[int]:
        body = query.astype("<f4").tobytes()
        return _keys(self._web.send(f"{self._search}?k={k}&mode=semantic", body, _BYTES))


def _keys(answer: dict[str, Any]) -> Sequence[int]:
    return [int(hit["key"]) for hit in answer["hits"]]

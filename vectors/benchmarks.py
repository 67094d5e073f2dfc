"""Measures of this library's own speed and recall, on arrays handed in."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from vectors.catalogue import create_collection
from vectors.codec import Matrix
from vectors.items import Item
from vectors.models import Collection
from vectors.search import search
from vectors.writing import upsert

_BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One strategy: milliseconds a search, and the share of the true k nearest it found."""

    p50_ms: float
    p95_ms: float
    recall: float


@dataclass(frozen=True, slots=True)
class QuantisedFigures:
    """`speedup` is the ratio of the medians; `rows_per_second` that of writing, keyword index included."""

    rows: int
    dimensions: int
    queries: int
    k: int
    exact: Measured
    quantised: Measured
    speedup: float
    rows_per_second: float


def measure_quantised(
    array: Matrix, *, queries: int = 200, k: int = 10, using: str | None = None
) -> QuantisedFigures:
    """Quantised against exact search, through the public `search`, on real libSQL.

    The last `queries` rows of `array` (n, d), float16 or float32, are the queries, the others the rows of a
    temporary collection, deleted in the end. The codes are loaded before the clock starts.
    """
    rows, probes = array[:-queries], array[-queries:]
    name = f"benchmark {uuid.uuid4().hex}"
    collection = create_collection(name, embedder="", dimensions=array.shape[1], metric="cosine", using=using)
    try:
        started = time.perf_counter()
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            items = [Item(str(start + at), f"row {start + at}", vector=row) for at, row in enumerate(batch)]
            upsert(collection, items, using=using)
        rate = len(rows) / (time.perf_counter() - started)
        _search(collection, probes[0], k, "quantised", using)
        truth, exact_ms = _timed(probes, lambda probe: _search(collection, probe, k, "exact", using))
        found, quantised_ms = _timed(probes, lambda probe: _search(collection, probe, k, "quantised", using))
    finally:
        collection.delete()
    recall = float(np.mean([len(a & b) / len(a) for a, b in zip(truth, found, strict=True)]))
    exact, quantised = _measured(exact_ms, 1.0), _measured(quantised_ms, recall)
    return QuantisedFigures(
        rows=len(rows),
        dimensions=array.shape[1],
        queries=queries,
        k=k,
        exact=exact,
        quantised=quantised,
        speedup=round(exact.p50_ms / quantised.p50_ms, 1),
        rows_per_second=round(rate),
    )


def _search(collection: Collection, probe: Matrix, k: int, strategy: str, using: str | None) -> set[str]:
    result = search(collection, vector=probe, k=k, mode="semantic", strategy=strategy, using=using)
    return {hit.key for hit in result.hits}


def _timed(probes: Matrix, run: Callable[[Matrix], set[str]]) -> tuple[list[set[str]], list[float]]:
    found, times = [], []
    for probe in probes:
        started = time.perf_counter()
        found.append(run(probe))
        times.append(1000 * (time.perf_counter() - started))
    return found, times


def _measured(times: list[float], recall: float) -> Measured:
    return Measured(
        round(float(np.median(times)), 3), round(float(np.percentile(times, 95)), 3), round(recall, 4)
    )

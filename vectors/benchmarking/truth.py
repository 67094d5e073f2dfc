"""The true neighbours by cosine, and the share of them that an answer has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vectors.benchmarking.measuring import Matrix
from vectors.progress import track

_BLOCK_BYTES: Final = 64 * 2**20
# A row counts as one of the k nearest if its similarity is below the k-th by no more than this: a tie.
_TIE: Final = 1e-6

Similarities = npt.NDArray[np.float64]


def kth_similarities(rows: Matrix, queries: Matrix, k: int, *, quiet: bool = False) -> Similarities:
    """For each of m queries, float32 (m, d), its similarity to the k-th nearest of n rows: float64 (m,)."""
    probes = _directions(queries)
    best = np.full((len(queries), k), -np.inf, np.float32)
    numbers = np.zeros((len(queries), k), np.int64)
    step = max(1, _BLOCK_BYTES // (4 * max(rows.shape[1], len(queries))))
    starts = range(0, len(rows), step)
    for start in track(starts, "Exact neighbours", len(starts), quiet=quiet):
        near = probes @ _directions(rows[start : start + step]).T
        places = np.broadcast_to(np.arange(start, start + near.shape[1]), near.shape)
        near, places = np.concatenate([best, near], axis=1), np.concatenate([numbers, places], axis=1)
        nearest = np.argpartition(-near, k - 1, axis=1)[:, :k]
        best = np.take_along_axis(near, nearest, axis=1)
        numbers = np.take_along_axis(places, nearest, axis=1)
    # float32 found them; float64 says how near they are.
    return np.array(
        [similarities(rows, query, its).min() for query, its in zip(queries, numbers, strict=True)]
    )


def similarities(rows: Matrix, query: Matrix, numbers: npt.NDArray[np.int64]) -> Similarities:
    """The cosine of a query with some of the rows, float64."""
    some, one = rows[numbers].astype(np.float64), query.astype(np.float64)
    found: Similarities = some @ one / (np.linalg.norm(some, axis=1) * np.linalg.norm(one))
    return found


def recall(found: Sequence[Sequence[int]], rows: Matrix, queries: Matrix, kth: Similarities, k: int) -> float:
    """The mean share of the k nearest in each answer; whatever is as near as the k-th of them is right.

    An answer is of the query at its place; there may be fewer answers than queries.
    """
    shares = []
    for numbers, query, least in zip(found, queries, kth, strict=False):
        known = np.array(sorted({n for n in numbers[:k] if 0 <= n < len(rows)}), dtype=np.int64)
        right = int((similarities(rows, query, known) >= least - _TIE).sum()) if len(known) else 0
        shares.append(right / k)
    return float(np.mean(shares))


def _directions(vectors: npt.NDArray[Any]) -> Matrix:
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    directions: Matrix = (vectors / norms[:, np.newaxis]).astype(np.float32)
    return directions

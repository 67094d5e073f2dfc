"""One ranking out of two: by keyword (BM25) and by meaning (distance).

Convex combination keeps how much better a row is and lets the weaker leg weigh less; with reciprocal ranks at
equal weights a weak leg costs up to 17 points of MRR (measured on Japanese questions). Bruch, Gai and Ingber,
"An analysis of fusion functions for hybrid retrieval" (2023), compare the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet…" (SIGIR 2009): k = 60.
RRF_K = 60


@dataclass(frozen=True, slots=True)
class Fused:
    """A row of the fused ranking. A rank is 1 for the best and None where the leg does not hold the row."""

    id: int
    score: float
    keyword_rank: int | None
    semantic_rank: int | None


def convex(
    bm25: Mapping[int, float], distance: Mapping[int, float], keyword_weight: float, *, leg: int, k: int
) -> list[Fused]:
    """The best k rows by weight · BM25 / best BM25 + (1 − weight) · similarity.

    `bm25` maps ids to scores ≥ 0 (larger is better), `distance` ids to distances (smaller is better), which
    are rescaled to a similarity of 0…1 over the rows at hand. An id may be missing in either and gets 0
    there. Scores are 0…1, best first, ties by id. Ranks past `leg` are None: such a row came with the other
    leg, and only its distance is known, not its true rank.
    """
    best = max(bm25.values(), default=0.0)
    near, far = min(distance.values(), default=0.0), max(distance.values(), default=0.0)
    span = far - near

    def score(row: int) -> float:
        keyword = bm25[row] / best if best > 0 and row in bm25 else 0.0
        meaning = 0.0
        if row in distance:
            meaning = (far - distance[row]) / span if span > 0 else 1.0
        return keyword_weight * keyword + (1 - keyword_weight) * meaning

    scores = {row: score(row) for row in bm25.keys() | distance.keys()}
    return _ranked(scores, k, _ranks(bm25, leg, descending=True), _ranks(distance, leg, descending=False))


def reciprocal_ranks(
    bm25: Mapping[int, float], distance: Mapping[int, float], *, leg: int, k: int
) -> list[Fused]:
    """The best k rows by the sum of 1 / (60 + rank) over the legs, both alike; see `convex` for `leg`."""
    keyword, semantic = _ranks(bm25, leg, descending=True), _ranks(distance, leg, descending=False)
    scores = {
        row: sum(1 / (RRF_K + ranks[row]) for ranks in (keyword, semantic) if row in ranks)
        for row in keyword.keys() | semantic.keys()
    }
    return _ranked(scores, k, keyword, semantic)


def _ranked(
    scores: Mapping[int, float], k: int, keyword: Mapping[int, int], semantic: Mapping[int, int]
) -> list[Fused]:
    order = sorted(scores, key=lambda row: (-scores[row], row))[:k]
    return [Fused(row, scores[row], keyword.get(row), semantic.get(row)) for row in order]


def _ranks(values: Mapping[int, float], leg: int, *, descending: bool) -> dict[int, int]:
    sign = -1 if descending else 1
    order = sorted(values, key=lambda row: (sign * values[row], row))[:leg]
    return {row: rank for rank, row in enumerate(order, start=1)}

"""The fusion of `vectors.fusion` in NumPy, for many weights at once over legs that were read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vectors.evaluation import CUTOFF
from vectors.fusion import RRF_K
from vectors.relevance.intervals import Scores

# Rows of each leg that a search of ten hits fuses.
LEG: Final = 100


@dataclass(frozen=True, slots=True)
class Legs:
    """Both legs of one query: m rows by id, of which each is in the keyword leg, the semantic one, or both.

    `bm25` float64 (m,) is NaN where the keyword leg does not hold the row, `distances` float64 (m,). Without
    a word in the query (`has_terms` False) there is no fusion: the distance alone counts.
    """

    keys: list[str]
    bm25: Scores
    distances: Scores
    has_terms: bool


def convex_scores(legs: Legs, weights: Scores) -> Scores:
    """Scores of the m rows for each of W keyword weights: float64 (W, m)."""
    if not legs.has_terms:
        return np.broadcast_to(-legs.distances, (len(weights), len(legs.keys)))
    shares = weights[:, None]
    keyword, semantic = _keyword_shares(legs.bm25), _similarities(legs.distances)
    scores: Scores = shares * keyword + (1 - shares) * semantic
    return scores


def rrf_scores(legs: Legs) -> Scores:
    """Scores of the m rows by reciprocal ranks: float64 (m,)."""
    if not legs.has_terms:
        return -legs.distances
    by_bm25 = _ranks(np.where(np.isnan(legs.bm25), np.inf, -legs.bm25))
    by_distance = _ranks(legs.distances)
    keyword = np.where(np.isnan(legs.bm25), 0.0, 1 / (RRF_K + by_bm25))
    semantic = np.where(by_distance > LEG, 0.0, 1 / (RRF_K + by_distance))
    scores: Scores = keyword + semantic
    return scores


def best(legs: Legs, scores: Scores) -> npt.NDArray[np.int64]:
    """Positions of the ten best rows along the last axis; of equal ones the nearest first, then by id."""
    distances = np.broadcast_to(legs.distances, scores.shape)
    order: npt.NDArray[np.int64] = np.lexsort((distances, -scores), axis=-1)[..., :CUTOFF]
    return order


def _keyword_shares(bm25: Scores) -> Scores:
    found = ~np.isnan(bm25)
    top = np.max(bm25, where=found, initial=-np.inf)
    if not found.any() or top == 0:
        return np.zeros_like(bm25)
    return np.where(found, bm25 / top, 0.0)


def _similarities(distances: Scores) -> Scores:
    """1 for the nearest, 0 for the farthest; 1 for all where all are as far."""
    near, far = np.min(distances, initial=np.inf), np.max(distances, initial=-np.inf)
    if not near < far:
        return np.ones_like(distances)
    similarities: Scores = (far - distances) / (far - near)
    return similarities


def _ranks(values: Scores) -> Scores:
    """1 for the least, by position among equals."""
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = np.arange(1, len(values) + 1)
    return ranks

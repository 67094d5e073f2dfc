"""One ranking out of two, by keyword (BM25) and by meaning (distance), in SQL.

Convex combination keeps how much better a row is and lets the weaker leg weigh less; with reciprocal ranks at
equal weights a weak leg costs up to 17 points of MRR (measured on Japanese questions). Bruch, Gai and Ingber,
"An analysis of fusion functions for hybrid retrieval" (2023), compare the two.

A score is an expression on a row `r` (distance; bm25 and keyword_rank, NULL where the keyword leg does not
hold it; semantic_rank, NULL where the semantic leg does not) and on the edges `e` of all rows (best BM25,
near and far distance). Division by zero gives NULL in SQLite.
"""

from __future__ import annotations

from typing import Final

from vectors.sql import Cte, Statement

# Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet…" (SIGIR 2009): k = 60.
RRF_K: Final = 60

# What every ranking here ends in.
_BEST: Final = "best(id, distance, keyword_rank, semantic_rank, score)"

# The sum of 1 / (60 + rank) over the legs, both alike.
BY_RECIPROCAL_RANKS: Final[Statement] = (
    f"ifnull(1.0 / ({RRF_K} + r.keyword_rank), 0.0) + ifnull(1.0 / ({RRF_K} + r.semantic_rank), 0.0)",
    [],
)


def convex(keyword_weight: float) -> Statement:
    """The score weight · BM25 / best BM25 + (1 − weight) · similarity, 0…1.

    The similarity is 1 for the nearest of the rows at hand, 0 for the farthest and for damaged embeddings.
    """
    return (
        "%s * ifnull(r.bm25 / e.best, 0.0)"
        " + %s * iif(r.distance IS NULL, 0.0, ifnull((e.far - r.distance) / (e.far - e.near), 1.0))",
        [keyword_weight, 1 - keyword_weight],
    )


def by_distance() -> Cte:
    """`best` of `nearest(id, distance)` alone; the score is the negative distance, the rank the place."""
    return Cte(_BEST, "SELECT id, distance, NULL, NULL, -distance FROM nearest", is_read_once=True)


def by_bm25() -> Cte:
    """`best` of `keyword(id, bm25)` alone; the score is BM25, the rank the place."""
    return Cte(_BEST, "SELECT id, NULL, NULL, NULL, bm25 FROM keyword", is_read_once=True)


def fused(score: Statement, *, leg: int, k: int) -> list[Cte]:
    """From `found(id, distance, bm25)`, with bm25 NULL where the row is near only, to `best`.

    `found` holds `leg` rows of each leg, or fewer. A rank is 1 for the best, by id among equals. Ranks past
    `leg` are NULL: such a row came with the other leg, and only its distance is known, not its true rank.
    `best` holds the `k` rows of the highest score, among equals the nearest, then by id.
    """
    expression, params = score
    edges = Cte("edges(best, near, far)", "SELECT max(bm25), min(distance), max(distance) FROM found")
    best = Cte(
        _BEST,
        f"""SELECT r.id, r.distance, r.keyword_rank, r.semantic_rank, {expression} AS score
            FROM edges AS e CROSS JOIN
                 (SELECT id, distance, bm25, CASE WHEN bm25 IS NOT NULL THEN by_bm25 END AS keyword_rank,
                      CASE WHEN by_distance <= %s THEN by_distance END AS semantic_rank
                  FROM (SELECT id, distance, bm25, row_number() OVER (ORDER BY bm25 DESC, id) AS by_bm25,
                            row_number() OVER (ORDER BY distance NULLS LAST, id) AS by_distance
                        FROM found)) AS r
            ORDER BY score DESC, r.distance NULLS LAST, r.id LIMIT %s""",  # noqa: S608 - expressions of this module
        [*params, leg, k],
        is_read_once=True,
    )
    return [edges, best]

"""One ranking out of two, by keyword (BM25) and by meaning (distance), in SQL.

Convex combination keeps how much better a row is and lets the weaker leg weigh less; with reciprocal ranks at
equal weights a weak leg costs up to 17 points of MRR (measured on Japanese questions). Bruch, Gai and Ingber,
"An analysis of fusion functions for hybrid retrieval" (2023), compare the two.

A score is an expression on a row `r` (bm25, distance, keyword_rank, semantic_rank, each NULL where the leg
does not hold the row) and on the edges `e` of all rows (best BM25, near and far distance). Division by zero
gives NULL in SQLite.
"""

from __future__ import annotations

from typing import Final

from vectors.sql import Cte, Statement

# Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet…" (SIGIR 2009): k = 60.
RRF_K: Final = 60

BY_BM25: Final[Statement] = ("r.bm25", [])
BY_DISTANCE: Final[Statement] = ("-r.distance", [])
# The sum of 1 / (60 + rank) over the legs, both alike.
BY_RECIPROCAL_RANKS: Final[Statement] = (
    f"ifnull(1.0 / ({RRF_K} + r.keyword_rank), 0.0) + ifnull(1.0 / ({RRF_K} + r.semantic_rank), 0.0)",
    [],
)


def convex(keyword_weight: float) -> Statement:
    """The score weight · BM25 / best BM25 + (1 − weight) · similarity, 0…1.

    The similarity is 1 for the nearest and 0 for the farthest of the rows at hand.
    """
    return (
        """%s * ifnull(r.bm25 / e.best, 0.0) + %s * CASE WHEN r.distance IS NULL THEN 0.0
           ELSE ifnull((e.far - r.distance) / (e.far - e.near), 1.0) END""",
        [keyword_weight, 1 - keyword_weight],
    )


def fused(score: Statement, *, leg: int, k: int) -> list[Cte]:
    """From `found(id, distance, bm25)` to `best(place, id, distance, keyword_rank, semantic_rank, score)`.

    `found` holds `leg` rows of each leg, or fewer. A rank is 1 for the best, by id among equals. Ranks past
    `leg` are NULL: such a row came with the other leg, and only its distance is known, not its true rank.
    `best` holds the `k` rows of the highest score, by id among equals; `place` counts them from 1.
    """
    expression, params = score
    ranked = Cte(
        "ranked(id, distance, bm25, keyword_rank, semantic_rank)",
        """SELECT id, distance, bm25, CASE WHEN bm25 IS NOT NULL THEN by_bm25 END,
               CASE WHEN distance IS NOT NULL AND by_distance <= %s THEN by_distance END
           FROM (SELECT id, distance, bm25, row_number() OVER (ORDER BY bm25 DESC, id) AS by_bm25,
                     row_number() OVER (ORDER BY distance IS NULL, distance, id) AS by_distance
                 FROM found)
           WHERE bm25 IS NOT NULL OR by_distance <= %s""",
        [leg, leg],
    )
    best = Cte(
        "best(place, id, distance, keyword_rank, semantic_rank, score)",
        f"""SELECT row_number() OVER (ORDER BY score DESC, id) AS place, *
            FROM (SELECT r.id, r.distance, r.keyword_rank, r.semantic_rank, {expression} AS score
                  FROM ranked AS r,
                       (SELECT max(bm25) AS best, min(distance) AS near, max(distance) AS far
                        FROM ranked) AS e)
            ORDER BY place LIMIT %s""",  # noqa: S608 - expressions of this module
        [*params, k],
    )
    return [ranked, best]

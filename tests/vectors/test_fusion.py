"""Two rankings become one, the same every time. In SQL, so on a database."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from django.db import DEFAULT_DB_ALIAS
from hypothesis import given
from hypothesis import strategies as st

from vectors.fusion import BY_BM25, BY_DISTANCE, BY_RECIPROCAL_RANKS, convex, fused
from vectors.rows import execute
from vectors.sql import Cte, Statement, with_ctes

pytestmark = pytest.mark.django_db

SCORES = st.dictionaries(st.integers(1, 20), st.floats(0.001, 50), max_size=15)
DISTANCES = st.dictionaries(st.integers(1, 20), st.floats(0, 2), max_size=15)


@dataclass
class Row:
    id: int
    score: float
    keyword_rank: int | None
    semantic_rank: int | None


def fuse(
    score: Statement, bm25: Mapping[int, float], distance: Mapping[int, float], *, leg: int = 99, k: int = 99
) -> list[Row]:
    """The fused ranking of two legs, by id."""
    rows = [[one, distance.get(one), bm25.get(one)] for one in sorted(bm25.keys() | distance.keys())]
    found = Cte(
        "found(id, distance, bm25)",
        "SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(%s)",
        [json.dumps(rows)],
    )
    statement = with_ctes(
        [found, *fused(score, leg=leg, k=k)],
        ("SELECT place, id, score, keyword_rank, semantic_rank FROM best ORDER BY place", []),
    )
    best = execute(DEFAULT_DB_ALIAS, statement)
    assert [row[0] for row in best] == list(range(1, len(best) + 1))
    return [Row(*row[1:]) for row in best]


def test_convex_weighs_the_legs():
    rows = fuse(convex(0.8), {1: 4.0, 2: 1.0}, {1: 0.9, 2: 0.1, 3: 0.5}, leg=9)
    assert [(one.id, round(one.score, 3)) for one in rows] == [(1, 0.8), (2, 0.4), (3, 0.1)]
    assert [(one.keyword_rank, one.semantic_rank) for one in rows] == [(1, 3), (2, 1), (None, 2)]


def test_reciprocal_ranks_count_places_only():
    rows = fuse(BY_RECIPROCAL_RANKS, {1: 100.0, 2: 1.0}, {2: 0.1, 3: 0.2}, leg=9)
    assert [one.id for one in rows] == [2, 1, 3]
    assert rows[0].score == pytest.approx(1 / 62 + 1 / 61)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_weight_of_all_or_nothing_gives_one_leg(weight):
    rows = fuse(convex(weight), {1: 2.0, 2: 1.0}, {1: 0.9, 2: 0.1})
    assert [one.id for one in rows] == ([1, 2] if weight else [2, 1])


@pytest.mark.parametrize(
    ("score", "expected"),
    [(BY_BM25, [(1, 2.0), (2, 1.0)]), (BY_DISTANCE, [(2, -0.1), (1, -0.9)])],
)
def test_one_leg_alone_is_ranked_by_its_own_score(score, expected):
    bm25, distance = ({1: 2.0, 2: 1.0}, {}) if score is BY_BM25 else ({}, {1: 0.9, 2: 0.1})
    assert [(one.id, one.score) for one in fuse(score, bm25, distance)] == expected


def test_a_row_past_the_leg_has_no_rank():
    distance = {1: 0.1, 2: 0.2, 3: 0.3}
    assert [one.semantic_rank for one in fuse(convex(0.0), {3: 1.0}, distance, leg=2)] == [1, 2, None]
    assert fuse(BY_RECIPROCAL_RANKS, {3: 1.0}, distance, leg=2)[0].score == 1 / 61


def test_equal_rows_come_by_id():
    assert [one.id for one in fuse(convex(0.5), {}, {9: 0.5, 3: 0.5, 7: 0.5})] == [3, 7, 9]


def test_no_more_than_k_rows_come():
    assert [one.id for one in fuse(convex(0.5), {}, {1: 0.3, 2: 0.2, 3: 0.1}, k=2)] == [3, 2]


@given(SCORES, DISTANCES, st.floats(0, 1))
def test_each_row_comes_once_with_the_convex_score_of_its_legs(bm25, distance, weight):
    rows = fuse(convex(weight), bm25, distance)
    assert sorted(one.id for one in rows) == sorted(bm25.keys() | distance.keys())
    assert all(0 <= one.score <= 1 + 1e-9 for one in rows)
    assert [one.score for one in rows] == sorted((one.score for one in rows), reverse=True)
    best = max(bm25.values(), default=1)
    near, far = min(distance.values(), default=0), max(distance.values(), default=0)
    for one in rows:
        meaning = 0.0
        if one.id in distance:
            meaning = (far - distance[one.id]) / (far - near) if far > near else 1.0
        assert one.score == pytest.approx(weight * bm25.get(one.id, 0) / best + (1 - weight) * meaning)


@given(SCORES, DISTANCES)
def test_reciprocal_ranks_hold_each_row_once(bm25, distance):
    rows = fuse(BY_RECIPROCAL_RANKS, bm25, distance)
    assert sorted(one.id for one in rows) == sorted(bm25.keys() | distance.keys())

"""Two rankings become one, the same every time. In SQL, so on a database."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
from django.db import DEFAULT_DB_ALIAS
from hypothesis import given
from hypothesis import strategies as st

from vectors.fusion import BY_RECIPROCAL_RANKS, by_bm25, by_distance, convex, fused
from vectors.rows import execute
from vectors.sql import Cte, Statement, with_ctes

pytestmark = pytest.mark.django_db

# Every row has a distance; what the keyword leg holds has a BM25, too.
FOUND = st.dictionaries(
    st.integers(1, 20), st.tuples(st.floats(0, 2), st.none() | st.floats(0.001, 50)), max_size=15
)


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
    assert bm25.keys() <= distance.keys()
    rows = [[one, distance[one], bm25.get(one)] for one in sorted(distance)]
    return rank("found(id, distance, bm25)", rows, fused(score, leg=leg, k=k))


def rank(head: str, rows: Sequence[Sequence[float | None]], ctes: Sequence[Cte]) -> list[Row]:
    columns = ", ".join(f"value ->> {at}" for at in range(head.count(",") + 1))
    given = Cte(head, f"SELECT {columns} FROM json_each(%s)", [json.dumps(rows)])
    query = "SELECT id, score, keyword_rank, semantic_rank FROM best ORDER BY score DESC, id"
    return [Row(*row) for row in execute(DEFAULT_DB_ALIAS, with_ctes([given, *ctes], (query, [])))]


def test_convex_weighs_the_legs():
    rows = fuse(convex(0.8), {1: 4.0, 2: 1.0}, {1: 0.9, 2: 0.1, 3: 0.5}, leg=9)
    assert [(one.id, round(one.score, 3)) for one in rows] == [(1, 0.8), (2, 0.4), (3, 0.1)]
    assert [(one.keyword_rank, one.semantic_rank) for one in rows] == [(1, 3), (2, 1), (None, 2)]


def test_reciprocal_ranks_count_places_only():
    rows = fuse(BY_RECIPROCAL_RANKS, {1: 100.0, 2: 1.0}, {1: 0.9, 2: 0.1, 3: 0.2}, leg=2)
    assert [one.id for one in rows] == [2, 1, 3]
    assert [one.score for one in rows] == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62])


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_weight_of_all_or_nothing_gives_one_leg(weight):
    rows = fuse(convex(weight), {1: 2.0, 2: 1.0}, {1: 0.9, 2: 0.1})
    assert [one.id for one in rows] == ([1, 2] if weight else [2, 1])


def test_one_leg_alone_is_ranked_by_its_own_score():
    near = rank("nearest(id, distance)", [[2, 0.1], [1, 0.9]], [by_distance()])
    assert near == [Row(2, -0.1, None, None), Row(1, -0.9, None, None)]
    worded = rank("keyword(id, bm25)", [[1, 2.0], [2, 1.0]], [by_bm25()])
    assert worded == [Row(1, 2.0, None, None), Row(2, 1.0, None, None)]


def test_a_row_past_the_leg_has_no_rank():
    distance = {1: 0.1, 2: 0.2, 3: 0.3}
    assert [one.semantic_rank for one in fuse(convex(0.0), {3: 1.0}, distance, leg=2)] == [1, 2, None]
    assert fuse(BY_RECIPROCAL_RANKS, {3: 1.0}, distance, leg=2)[0].score == 1 / 61


def test_equal_rows_come_by_id():
    assert [one.id for one in fuse(convex(0.5), {}, {9: 0.5, 3: 0.5, 7: 0.5})] == [3, 7, 9]


def test_of_equal_scores_the_nearest_comes_first():
    assert [one.id for one in fuse(convex(1.0), {}, {1: 0.9, 2: 0.1, 3: 0.5}, k=2)] == [2, 3]


def test_no_more_than_k_rows_come():
    assert [one.id for one in fuse(convex(0.5), {}, {1: 0.3, 2: 0.2, 3: 0.1}, k=2)] == [3, 2]


@given(FOUND, st.floats(0, 1))
def test_each_row_comes_once_with_the_convex_score_of_its_legs(found, weight):
    distance = {one: pair[0] for one, pair in found.items()}
    bm25 = {one: pair[1] for one, pair in found.items() if pair[1] is not None}
    rows = fuse(convex(weight), bm25, distance)
    assert sorted(one.id for one in rows) == sorted(found)
    assert all(0 <= one.score <= 1 + 1e-9 for one in rows)
    best = max(bm25.values(), default=1)
    near, far = min(distance.values(), default=0), max(distance.values(), default=0)
    for one in rows:
        meaning = (far - distance[one.id]) / (far - near) if far > near else 1.0
        assert one.score == pytest.approx(weight * bm25.get(one.id, 0) / best + (1 - weight) * meaning)


@given(FOUND)
def test_reciprocal_ranks_hold_each_row_once_with_its_places(found):
    distance = {one: pair[0] for one, pair in found.items()}
    bm25 = {one: pair[1] for one, pair in found.items() if pair[1] is not None}
    rows = fuse(BY_RECIPROCAL_RANKS, bm25, distance)
    assert sorted(one.id for one in rows) == sorted(found)
    by_words = sorted(bm25, key=lambda one: (-bm25[one], one))
    by_meaning = sorted(distance, key=lambda one: (distance[one], one))
    for one in rows:
        assert one.keyword_rank == (by_words.index(one.id) + 1 if one.id in bm25 else None)
        assert one.semantic_rank == by_meaning.index(one.id) + 1

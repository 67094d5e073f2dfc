"""Two rankings become one, the same every time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectors.fusion import convex, reciprocal_ranks

SCORES = st.dictionaries(st.integers(1, 20), st.floats(0.001, 50), max_size=15)
DISTANCES = st.dictionaries(st.integers(1, 20), st.floats(0, 2), max_size=15)


def test_convex_weighs_the_legs():
    fused = convex({1: 4.0, 2: 1.0}, {1: 0.9, 2: 0.1, 3: 0.5}, 0.8, leg=9, k=99)
    assert [(one.id, round(one.score, 3)) for one in fused] == [(1, 0.8), (2, 0.4), (3, 0.1)]
    assert [(one.keyword_rank, one.semantic_rank) for one in fused] == [(1, 3), (2, 1), (None, 2)]


def test_reciprocal_ranks_count_places_only():
    fused = reciprocal_ranks({1: 100.0, 2: 1.0}, {2: 0.1, 3: 0.2}, leg=9, k=99)
    assert [one.id for one in fused] == [2, 1, 3]
    assert fused[0].score == pytest.approx(1 / 62 + 1 / 61)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_weight_of_all_or_nothing_gives_one_leg(weight):
    fused = convex({1: 2.0, 2: 1.0}, {1: 0.9, 2: 0.1}, weight, leg=99, k=99)
    assert [one.id for one in fused] == ([1, 2] if weight else [2, 1])


def test_a_row_past_the_leg_has_no_rank():
    distance = {1: 0.1, 2: 0.2, 3: 0.3}
    assert [one.semantic_rank for one in convex({3: 1.0}, distance, 0.0, leg=2, k=99)] == [1, 2, None]
    assert reciprocal_ranks({3: 1.0}, distance, leg=2, k=99)[0].score == 1 / 61


def test_equal_rows_come_by_id():
    assert [one.id for one in convex({}, {9: 0.5, 3: 0.5, 7: 0.5}, 0.5, leg=9, k=99)] == [3, 7, 9]


@given(SCORES, DISTANCES, st.floats(0, 1))
def test_each_row_comes_once_with_a_score_from_0_to_1(bm25, distance, weight):
    fused = convex(bm25, distance, weight, leg=99, k=99)
    assert sorted(one.id for one in fused) == sorted(bm25.keys() | distance.keys())
    assert all(0 <= one.score <= 1 + 1e-9 for one in fused)
    assert [one.score for one in fused] == sorted((one.score for one in fused), reverse=True)


@given(SCORES, DISTANCES)
def test_reciprocal_ranks_hold_each_row_once(bm25, distance):
    fused = reciprocal_ranks(bm25, distance, leg=99, k=99)
    assert sorted(one.id for one in fused) == sorted(bm25.keys() | distance.keys())

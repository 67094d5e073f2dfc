"""The measures match their formulas on cases worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectors.errors import InvalidQuery
from vectors.evaluation import Judged, evaluate, mrr, ndcg, parse_judged, recall

KEYS = list("abcdefghijkl")


def test_ndcg_by_hand():
    assert ndcg(["b", "x", "a"], {"a": 2, "b": 1}) == pytest.approx((1 + 3 / 2) / (3 + 1 / math.log2(3)))


@pytest.mark.parametrize(
    ("ranking", "expected"),
    [(["a"], 1), (["x", "a"], 0.5), (["x"] * 9 + ["a"], 0.1), (["x"] * 10 + ["a"], 0)],
)
def test_mrr_looks_at_ten(ranking, expected):
    assert mrr(ranking, {"a": 1}) == pytest.approx(expected)


def test_recall_can_reach_one_with_more_relevant_keys_than_places():
    relevant = {f"k{n}": 1 for n in range(20)}
    assert recall(list(relevant)[:10], relevant) == 1
    assert recall(["k0", "x"], {"k0": 1, "k1": 1}) == 0.5


def test_a_grade_of_zero_is_not_relevant():
    assert (mrr(["a"], {"a": 0}), recall(["a"], {"a": 0}), ndcg(["a"], {"a": 0})) == (0, 0, 0)


@given(st.permutations(KEYS), st.dictionaries(st.sampled_from(KEYS), st.integers(0, 4)))
def test_all_measures_stay_between_0_and_1_and_the_ideal_order_is_1(ranking, relevant):
    for measure in (ndcg, mrr, recall):
        assert 0 <= measure(ranking, relevant) <= 1 + 1e-9
    if any(relevant.values()):
        ideal = sorted(KEYS, key=lambda key: -relevant.get(key, 0))
        assert ndcg(ideal, relevant) == pytest.approx(1)


@pytest.mark.django_db
def test_it_takes_the_mean_over_queries(fill):
    collection = fill("a red fox", "a blue whale")
    judged = [Judged("red fox", {"k0": 1}), Judged("red fox", {"k1": 1})]
    quality = evaluate(collection, judged, "hybrid")
    assert (quality.n, quality.mrr, quality.recall) == (2, 0.75, 1.0)


@pytest.mark.django_db
def test_without_queries_there_is_no_mean(fill):
    with pytest.raises(InvalidQuery, match="at least one"):
        evaluate(fill("x"), [])


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], "line"),
        ({"query": "x"}, "line"),
        ({"query": "x", "relevant": {"a": 1}, "more": 1}, "line"),
        ({"query": " ", "relevant": {"a": 1}}, "query"),
        ({"query": "x", "relevant": {}}, "relevant"),
        ({"query": "x", "relevant": {"a": True}}, "relevant.a"),
        ({"query": "x", "relevant": {"a": -1}}, "relevant.a"),
        ({"query": "x", "relevant": {"a": 1.5}}, "relevant.a"),
    ],
)
def test_it_names_what_is_wrong_with_a_judgement(value, field):
    with pytest.raises(InvalidQuery) as caught:
        parse_judged(value)
    assert caught.value.field == field

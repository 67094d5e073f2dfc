"""Runs: figures with intervals, kept, and paired with the run before."""

import numpy as np
import pytest

from vectors import store
from vectors.errors import EmbedderError, InvalidQuery
from vectors.evaluation import Judged, evaluate
from vectors.relevance.judging import judge
from vectors.relevance.measuring import Options, measure, modes_of
from vectors.relevance.models import EvaluationRun, hash_query
from vectors.relevance.queries import open_queries
from vectors.relevance.runs import compared, evaluate_queries

pytestmark = pytest.mark.django_db

HYBRID = Options(modes=("hybrid",))


@pytest.fixture
def notes(fill):
    collection = fill("a red fox", "a blue whale", "a grey wolf", "a green frog")
    for query, key in [("red fox", "k0"), ("whale", "k1"), ("grey wolf", "k2"), ("white bear", "k3")]:
        judge(collection, query, key, 1)
    return collection


def run(collection, options=HYBRID, **more):
    source = more.pop("source", None)
    with open_queries(collection, source) as queries:
        return evaluate_queries(collection, queries, options, **more)


def test_scores_are_those_of_the_formulas(fill):
    collection = fill("a red fox", "a blue whale")
    judged = [Judged("red fox", {"k0": 2, "k1": 1}), Judged("red fox", {"k1": 1}), Judged("whale", {"k7": 1})]
    [measured] = measure(collection, judged, HYBRID)
    # Found: k0, k1. Second query: k1 at rank 2. Third: what is relevant is not there.
    expected = [[1, 1, 1], [1 / np.log2(3), 1 / 2, 1], [0, 0, 0]]
    assert measured.names == ("ndcg@10", "mrr@10", "recall@10")
    assert measured.scores == pytest.approx(np.array(expected))
    quality = evaluate(collection, judged)
    assert measured.scores.mean(axis=0).tolist() == pytest.approx([quality.ndcg, quality.mrr, quality.recall])
    [one] = measure(collection, judged, Options(modes=("hybrid",), k=1))
    assert one.names[2] == "recall@1"
    assert one.scores[:, 2].tolist() == [1, 0, 0]


def test_every_mode_embeds_a_query_once(notes, embedder):
    run(notes, Options())
    assert len(embedder.calls) == 4


def test_a_run_is_kept_with_what_it_ran_on(notes):
    [report] = run(notes)
    stored = EvaluationRun.objects.get()
    assert stored == report.run
    assert (stored.mode, stored.source, stored.n, report.comparison) == ("hybrid", "judgements", 4, None)
    weights = {"other": 0.5, "cjk": 0.5}
    assert stored.settings == {
        "mode": "hybrid", "strategy": "auto", "k": 10, "fusion": "convex", "keyword_weight": weights,
    }  # fmt: skip
    assert stored.index["rows"] == 4
    assert (stored.index["embedder"], stored.index["generation"]) == ("fake", notes.generation)
    assert stored.metrics["recall@10"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    mrr = stored.metrics["mrr@10"]
    assert mrr["low"] < mrr["mean"] < mrr["high"] <= 1
    assert stored.scores[hash_query("red fox")[:16]][1:] == [1.0, 1.0, 1.0]


def test_what_is_not_to_be_kept_is_compared_all_the_same(notes):
    run(notes)
    [report] = run(notes, store=False)
    assert report.run.pk is None
    assert EvaluationRun.objects.count() == 1
    assert report.comparison.differences["mrr@10"].as_dict() == {"mean": 0, "low": 0, "high": 0}


def test_a_change_shows_as_a_difference(notes):
    [first] = run(notes)
    store.delete(notes, ["k0"])
    [second] = run(notes)
    difference = second.comparison.differences["recall@10"]
    assert (second.comparison.before, second.comparison.paired) == (first.run, 4)
    assert difference.mean == -0.25
    assert (difference.low, difference.high) == (-0.75, 0.0)
    json = second.as_json()
    assert json["compared"]["run"] == first.run.pk
    assert json["compared"]["differences"]["recall@10"]["mean"] == -0.25


def test_only_queries_judged_alike_in_both_are_paired(notes):
    run(notes)
    judge(notes, "whale", "k1", 3)  # another judgement since
    judge(notes, "frog", "k3", 1)  # another query
    [report] = run(notes)
    assert (report.comparison.paired, report.comparison.left_out) == (3, 2)


def test_runs_without_a_query_in_common_do_not_compare(notes):
    [before] = run(notes)
    after = EvaluationRun(collection=notes, scores={"0": ["x", 1, 1, 1]}, metrics={})
    assert compared(after, before.run) is None


def test_like_is_compared_with_like(notes):
    [hybrid, keyword] = run(notes, Options(modes=("hybrid", "keyword")))
    run(notes, Options(modes=("hybrid",), k=3))
    [again] = run(notes, Options(modes=("keyword",)))
    assert again.comparison.before == keyword.run
    [again] = run(notes, HYBRID)
    assert again.comparison.before == hybrid.run


def test_a_run_to_compare_with_can_be_named(notes):
    [hybrid, keyword] = run(notes, Options(modes=("hybrid", "keyword")))
    run(notes, Options(modes=("hybrid",), keyword_weight=1.0))
    [again] = run(notes, HYBRID, compare=hybrid.run.pk)
    assert again.comparison.before == hybrid.run
    [other_mode] = run(notes, HYBRID, compare=keyword.run.pk)
    assert other_mode.comparison.before == keyword.run


def test_a_run_that_cannot_be_compared_with_is_refused(notes, fill):
    [first] = run(notes)
    other = fill("a red fox", name="other")
    judge(other, "fox", "k0", 1)
    for collection, options, compare, said in [
        (notes, HYBRID, 999, f"There are: {first.run.pk}."),
        (other, HYBRID, first.run.pk, "There is none."),
        (notes, Options(modes=("hybrid",), k=5), first.run.pk, "k = 10"),
    ]:
        with pytest.raises(InvalidQuery, match=said) as caught:
            run(collection, options, compare=compare)
        assert caught.value.field == "compare"
    assert EvaluationRun.objects.count() == 1


def test_a_weight_in_place_of_the_collections(notes):
    [report] = run(notes, Options(modes=("hybrid",), keyword_weight=0.9))
    assert report.run.settings["keyword_weight"] == {"other": 0.9, "cjk": 0.9}
    notes.refresh_from_db()
    assert notes.keyword_weight is None
    [rrf] = run(notes, Options(modes=("hybrid",), fusion="rrf"))
    assert (rrf.run.settings["fusion"], rrf.run.settings["keyword_weight"]) == ("rrf", None)
    [keyword] = run(notes, Options(modes=("keyword",)))
    assert "fusion" not in keyword.run.settings


def test_known_items_make_runs_too(fill):
    collection = fill(
        *(f"Harbour {n} was built by monk{n}. The monk{n} burnt ship{n} in it." for n in range(40))
    )
    [first] = run(collection, store=True)
    assert (first.run.source, first.run.n, first.run.collection_id) == ("known-items", 40, collection.pk)
    assert first.run.settings["strategy"] == "exact"
    assert first.run.settings["recipe"] == 1
    [second] = run(collection)
    assert second.comparison.paired == 40
    assert second.comparison.differences["ndcg@10"].mean == 0


def test_without_an_embedder_there_are_words(fill):
    own = store.create_collection("own", embedder="", dimensions=2)
    store.upsert(own, [store.Item("a", "a red fox", vector=[1, 0])])
    judge(own, "fox", "a", 1)
    assert modes_of(own) == ("keyword",)
    [report] = run(own, Options(modes=modes_of(own)))
    assert report.run.metrics["mrr@10"]["mean"] == 1
    with pytest.raises(EmbedderError):
        run(own, HYBRID)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"modes": ("guess",)}, "mode"),
        ({"fusion": "sum"}, "fusion"),
        ({"keyword_weight": 1.1}, "keyword_weight"),
        ({"keyword_weight": float("nan")}, "keyword_weight"),
        ({"k": 0}, "k"),
        ({"k": 1_001}, "k"),
    ],
)
def test_options_are_checked(wrong, field):
    with pytest.raises(InvalidQuery) as caught:
        Options(**wrong)
    assert caught.value.field == field


def test_without_a_query_nothing_can_be_measured(fill):
    with pytest.raises(InvalidQuery, match="at least one"):
        measure(fill("x"), [], HYBRID)

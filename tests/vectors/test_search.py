"""Search by meaning, by words and by both, with arguments that are checked and answers that repeat."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from vectors import store
from vectors.errors import InvalidFilter, InvalidQuery, InvalidVector
from vectors.search import keyword_weight, search
from vectors.store import Item

pytestmark = pytest.mark.django_db


@pytest.fixture
def notes(fill):
    return fill(
        "a red fox jumps",
        "a blue whale swims",
        "the fox and the whale meet",
        "東京タワーに登る",
        "京都の寺を歩く",
    )


def keys(result):
    return [hit.key for hit in result.hits]


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
def test_it_finds_by_words_in_every_mode(notes, mode):
    assert keys(search(notes, "red fox", mode=mode))[0] == "k0"
    assert keys(search(notes, "東京タワー", mode=mode))[0] == "k3"


@pytest.mark.parametrize(("query", "expected"), [("東京", {"k3"}), ("塔", set()), ("京", {"k3", "k4"})])
def test_it_finds_japanese_words_of_one_and_two_characters(notes, query, expected):
    assert set(keys(search(notes, query, mode="keyword"))) == expected


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
def test_only_parts_that_are_wanted_are_read(notes, mode):
    with CaptureQueriesContext(connection) as queries:
        (hit,) = search(notes, "red fox", k=1, mode=mode, parts=["title"]).hits
    assert (hit.key, hit.text, hit.metadata) == ("k0", "", {})
    assert "i.title" in queries[-1]["sql"]
    assert "i.text" not in queries[-1]["sql"]
    with pytest.raises(InvalidQuery, match="parts: expected title, text, metadata, got 'vector'"):
        search(notes, "red fox", parts=["vector"])


def test_the_same_vector_is_at_no_distance_whatever_rounding_says(notes):
    for text in ("a red fox jumps", "a blue whale swims", "the fox and the whale meet"):
        hit = search(notes, text, k=1, mode="semantic").hits[0]
        assert 0 <= hit.distance < 1e-6
        assert 1 - 1e-6 < hit.similarity <= 1


def test_a_hybrid_hit_says_where_it_came_from(notes):
    result = search(notes, "red fox")
    hit = result.hits[0]
    assert hit.ranks == {"keyword": 1, "semantic": 1}
    assert hit.similarity == pytest.approx(1 - hit.distance)
    assert 0 <= hit.score <= 1
    assert result.plan == {
        "strategy": "exact",
        "scanned": 5,
        "probes": 0,
        "reranked": 5,
        "exhaustive": True,
        "filtered_out": 0,
        "ms": result.plan["ms"],
    }
    assert result.took_ms >= result.plan["ms"] > 0


def test_keyword_candidates_get_an_exact_distance_too(fill):
    # 150 texts nearer to the vector than the one that has the word.
    collection = fill(*["zebra"] * 150, "zebra-free text with quokka in it", name="many", keyword_weight=0.8)
    hit = search(collection, "quokka", vector=store.vectors_by_key(collection, ["k0"])["k0"]).hits[0]
    assert hit.key == "k150"
    assert hit.distance is not None
    assert hit.ranks == {"keyword": 1, "semantic": None}


def test_keyword_hits_have_no_distance(notes):
    hit = search(notes, "fox", mode="keyword").hits[0]
    assert (hit.distance, hit.similarity, hit.ranks["semantic"]) == (None, None, None)


def test_a_vector_alone_searches_by_meaning(notes):
    vector = store.vectors_by_key(notes, ["k1"])["k1"]
    result = search(notes, vector=vector.tolist())
    assert keys(result)[0] == "k1"
    assert result.hits[0].distance == pytest.approx(0, abs=1e-6)


def test_a_query_without_words_goes_by_meaning_or_finds_nothing(notes):
    assert len(search(notes, "?!").hits) == 5
    assert search(notes, "?!", mode="keyword").hits == []


@pytest.mark.parametrize("fusion", ["convex", "rrf"])
@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
def test_the_same_search_gives_the_same_answer(fill, fusion, mode):
    collection = fill(*["same text"] * 30, name="same")
    first = search(collection, "same text", mode=mode, fusion=fusion)
    assert keys(first) == [f"k{at}" for at in range(10)]
    assert keys(search(collection, "same text", mode=mode, fusion=fusion)) == keys(first)


def test_a_filter_restricts_both_legs(notes):
    store.upsert(notes, [Item("k0", "a red fox jumps", metadata={"lang": "en"})])
    for mode in ("hybrid", "semantic", "keyword"):
        assert keys(search(notes, "fox whale", mode=mode, filter={"lang": "en"})) == ["k0"]
    with pytest.raises(InvalidFilter):
        search(notes, "fox", filter={})


def test_k_bounds_the_answer(notes):
    assert len(search(notes, "fox", k=2).hits) == 2
    assert len(search(notes, "fox", k=1_000).hits) == 5


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"k": 0}, "k"),
        ({"k": 1_001}, "k"),
        ({"k": -1}, "k"),
        ({"k": True}, "k"),
        ({"k": 2.0}, "k"),
        ({"mode": "fuzzy"}, "mode"),
        ({"fusion": "max"}, "fusion"),
        ({"strategy": "hnsw"}, "strategy"),
        ({"query": ""}, "query"),
        ({"query": " "}, "query"),
        ({"query": "a\0"}, "query"),
        ({"query": None}, "query"),
        ({"query": 5}, "query"),
    ],
)
def test_it_refuses(notes, arguments, field):
    with pytest.raises(InvalidQuery) as caught:
        search(notes, **{"query": "fox", **arguments})
    assert caught.value.field == field


def test_keyword_mode_refuses_a_strategy_that_is_none(notes):
    with pytest.raises(InvalidQuery, match="strategy"):
        search(notes, "fox", mode="keyword", strategy="hnsw")


def test_keyword_mode_needs_words(notes):
    with pytest.raises(InvalidQuery, match="query: expected text, got nothing"):
        search(notes, vector=[1.0] * 64, mode="keyword")


@pytest.mark.parametrize("vector", [[1.0] * 63, [0.0] * 64, [float("nan")] * 64, "no"])
def test_it_refuses_a_bad_vector(notes, vector):
    with pytest.raises(InvalidVector):
        search(notes, vector=vector)


@pytest.mark.parametrize("strategy", ["exact", "quantised"])
@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
def test_a_search_is_one_statement(notes, mode, strategy):
    search("notes", "fox", mode=mode, strategy=strategy)  # the first one gets to know the collection
    with CaptureQueriesContext(connection) as queries:
        search("notes", "fox", mode=mode, strategy=strategy)
    assert len(queries) == 1


def test_an_empty_collection_has_no_hits():
    collection = store.create_collection("empty")
    for strategy in ("exact", "quantised", "auto"):
        assert search(collection, "fox", strategy=strategy).hits == []


@pytest.mark.parametrize("query", ['"', "a OR b", "NEAR(", "title:fox", "%", "'; DROP TABLE x", "🦊", "̈"])
def test_odd_queries_are_only_text(notes, query):
    search(notes, query)


def test_the_collection_sets_the_keyword_weight(notes):
    assert keyword_weight(notes, "fox") == 0.5
    notes.keyword_weight = 0.0
    assert search(notes, "fox", fusion="convex").hits[0].ranks["semantic"] == 1
    assert keyword_weight(notes, "fox") == 0.0


def test_wordllama_trusts_words_more_in_japanese():
    collection = store.create_collection("w", embedder="wordllama")
    assert keyword_weight(collection, "red fox") == 0.8
    assert keyword_weight(collection, "東京の天気") == 0.95


def test_the_title_counts(fill):
    collection = fill("text about nothing", name="titled")
    store.upsert(collection, [Item("t", "text about nothing", "Okapi guide")])
    assert keys(search(collection, "okapi", mode="keyword")) == ["t"]

"""The weight that is right is found where there is one, and luck is not taken for it."""

import numpy as np
import pytest

from vectors import store
from vectors.embedders import get_embedder
from vectors.errors import EmbedderError, InvalidCollection
from vectors.evaluation import Judged, ndcg
from vectors.relevance import weights
from vectors.relevance.fusing import Legs, best, convex_scores, rrf_scores
from vectors.relevance.judging import judge
from vectors.relevance.legs import read_legs
from vectors.relevance.measuring import with_weight
from vectors.relevance.tuning import ndcg_by_weight, tune_collection, tune_language, weight_grid
from vectors.search import keyword_weight, search
from vectors.store import Item

from .fakes import FakeEmbedder

WORDS = ["harbour", "ship", "monk", "war", "fire", "stone", "wall", "tower", "bridge", "river", "boat"]
KANJI = "港船僧戦争火石壁塔橋川帆縄網魚東京"


class Leaning(FakeEmbedder):
    keyword_weight = 0.7
    cjk_keyword_weight = 0.9


@pytest.fixture
def mixed():
    """300 rows of a few words each, with copies, in two languages."""
    random = np.random.default_rng(7)

    def make(**options):
        collection = store.create_collection("mixed", **options)
        rows = []
        for number in range(300):
            words = (
                random.choice(WORDS, random.integers(1, 6)) if number % 3 else random.choice(list(KANJI), 5)
            )
            rows.append(Item(f"k{number}", (" " if number % 3 else "").join(words)))
        store.upsert(collection, rows)
        return collection

    return make


@pytest.mark.django_db
@pytest.mark.parametrize("metric", ["cosine", "l2"])
@pytest.mark.parametrize(
    "query", ["harbour ship", "the monk", "東京の港", "石", "nowhere found", "?!", "fish"]
)
def test_fusing_here_gives_the_order_of_a_search(mixed, metric, query):
    collection = mixed(metric=metric)
    vector = get_embedder("fake", model="words", dimensions=64).embed_query(query)
    legs = read_legs(collection, query, vector)
    grid = np.array([0.0, 0.05, 0.3, 0.5, 0.8, 1.0])
    for weight, scores in zip(grid, convex_scores(legs, grid), strict=True):
        hits = search(with_weight(collection, weight), query).hits
        assert [legs.keys[at] for at in best(legs, scores)] == [hit.key for hit in hits]
        assert scores[best(legs, scores)].tolist() == [hit.score for hit in hits]
    hits = search(collection, query, fusion="rrf").hits
    scores = rrf_scores(legs)
    assert [legs.keys[at] for at in best(legs, scores)] == [hit.key for hit in hits]
    assert scores[best(legs, scores)].tolist() == [hit.score for hit in hits]


@pytest.mark.django_db
def test_ndcg_here_is_that_of_the_evaluation(mixed):
    collection = mixed()
    query = "harbour ship"
    judged = Judged(query, {f"k{n}": n % 4 for n in range(0, 300, 3)} | {"gone": 2})
    vector = get_embedder("fake", model="words", dimensions=64).embed_query(query)
    grid = weight_grid(0.5)
    scores = ndcg_by_weight(read_legs(collection, query, vector), judged, grid)
    for weight, score in zip(grid, scores, strict=False):
        keys = [hit.key for hit in search(with_weight(collection, weight), query).hits]
        assert score == pytest.approx(ndcg(keys, judged.relevant))
    keys = [hit.key for hit in search(collection, query, fusion="rrf").hits]
    assert scores[-1] == pytest.approx(ndcg(keys, judged.relevant))


def test_a_leg_without_rows_is_nothing():
    empty = Legs([], np.array([]), np.array([]), has_terms=True)
    assert best(empty, convex_scores(empty, np.array([0.0, 1.0]))).shape == (2, 0)
    assert ndcg_by_weight(empty, Judged("a", {"k": 1}), weight_grid(0.5)).tolist() == [0] * 23


def planted(name, queries, *, right_leg, **options):
    """Two rows a query, a right one that `right_leg` prefers, and a wrong one that the other leg prefers."""
    collection = store.create_collection(name, **options)
    plant(collection, queries, right_leg)
    return collection


def plant(collection, queries, right_leg):
    embedder = get_embedder("fake", model="words", dimensions=64)
    rows = []
    # The keyword leg holds wrong rows as well, further down.
    other_words = " {} and much else beside it" if right_leg == "keyword" else "nothing of the kind"
    for query in queries:
        near = embedder.embed_query(query)
        by_words, by_meaning = ("right", "wrong") if right_leg == "keyword" else ("wrong", "right")
        rows.append(Item(f"{by_words} {query}", query, vector=-near))
        rows.append(Item(f"{by_meaning} {query}", other_words.format(query), vector=near))
    store.upsert(collection, rows)
    for query in queries:
        judge(collection, query, f"right {query}", 1)


def english(count):
    return [f"word{n}" for n in range(count)]


def japanese(count):
    return [f"{chr(0x4E00 + 2 * n)}{chr(0x4E01 + 2 * n)}" for n in range(count)]


@pytest.mark.django_db
def test_perfect_keywords_get_a_high_weight():
    notes = planted("notes", english(60), right_leg="keyword", keyword_weight=0.2)
    tuned = tune_collection(notes)
    assert tuned.keys() == {"other"}
    found = tuned["other"]
    assert (found.n, found.source, found.current) == (60, "judgements", 0.2)
    assert found.chosen > 0.5
    assert found.best_score.mean == 1
    assert found.gain.is_positive
    assert found.curve[0.2] < found.curve[1.0]


@pytest.mark.django_db
def test_a_perfect_semantic_leg_gets_a_low_weight():
    notes = planted("notes", english(60), right_leg="semantic", keyword_weight=0.8)
    found = tune_collection(notes)["other"]
    assert found.chosen <= 0.5  # where both legs weigh the same, the nearest wins
    assert found.best_score.mean == 1


@pytest.mark.django_db
def test_each_language_gets_its_own():
    notes = planted("notes", english(40), right_leg="semantic", keyword_weight=0.8)
    plant(notes, japanese(40), "keyword")
    tuned = tune_collection(notes)
    assert tuned["other"].chosen <= 0.5 < tuned["cjk"].chosen
    weights.apply(notes, other=tuned["other"].chosen, cjk=tuned["cjk"].chosen)
    stored = store.get_collection("notes")
    assert keyword_weight(stored, "fox") == tuned["other"].chosen
    assert keyword_weight(stored, "東京") == tuned["cjk"].chosen
    again = tune_collection(stored)
    assert not again["other"].is_change
    assert not again["cjk"].is_change


@pytest.mark.django_db
def test_few_queries_change_nothing_however_clear_they_are():
    notes = planted("notes", english(20), right_leg="semantic", keyword_weight=0.8)
    found = tune_collection(notes)["other"]
    assert (found.chosen, found.is_change) == (0.8, False)
    assert found.best <= 0.5
    assert "too few" in found.reason


def tables(effect, *, queries, seed):
    """Scores of queries by weight: noise, and `effect` for each step away from the weight 0.5."""
    random = np.random.default_rng(seed)
    grid = weight_grid(0.5)
    base = random.uniform(0.4, 0.6, (queries, 1))
    noise = random.normal(0, 0.1, (queries, len(grid) + 1))
    slope = np.append(effect * (grid - 0.5), 0)
    return [(f"{at:04}", row) for at, row in enumerate(base + noise + slope)]


def test_luck_is_not_taken_for_a_gain():
    tuned = [
        tune_language("other", "judgements", tables(0, queries=60, seed=seed), 0.5) for seed in range(200)
    ]
    assert sum(one.is_change for one in tuned) <= 10  # 1 in 40 is what the interval promises
    assert abs(np.mean([one.gain.mean for one in tuned])) < 0.005


def test_a_gain_is_found_and_honestly_told():
    tuned = [
        tune_language("cjk", "judgements", tables(0.2, queries=200, seed=seed), 0.5) for seed in range(40)
    ]
    assert all(one.chosen > 0.5 for one in tuned)
    told = np.mean([one.gain.mean for one in tuned])
    truth = np.mean([0.2 * (one.chosen - 0.5) for one in tuned])
    assert told == pytest.approx(truth, abs=0.01)


def test_of_weights_as_good_the_nearest_is_taken():
    grid = weight_grid(0.5)
    row = np.append(np.where(grid >= 0.7, 1.0, 0.0), 0.5)
    found = tune_language("other", "judgements", [(f"{at:03}", row) for at in range(50)], 0.5)
    assert found.chosen == 0.7
    assert found.rrf_gain.mean == 0.5


def test_a_weight_off_the_grid_is_on_it_too():
    assert 0.33 in weight_grid(0.33)
    assert len(weight_grid(0.33)) == 23
    assert len(weight_grid(0.95)) == 22


@pytest.mark.django_db
def test_a_language_that_nobody_judged_goes_by_known_items():
    notes = planted("notes", english(40), right_leg="semantic")
    store.upsert(
        notes,
        [
            Item(f"j{n}", f"{query}の歴史を詳しく述べる。{query}の未来はわからない。")
            for n, query in enumerate(japanese(40))
        ],
    )
    tuned = tune_collection(notes)
    assert (tuned["other"].source, tuned["cjk"].source) == ("judgements", "known-items")
    assert tune_collection(notes, "judgements").keys() == {"other"}


@pytest.mark.django_db
def test_without_an_embedder_there_is_nothing_to_weigh():
    own = store.create_collection("own", embedder="", dimensions=2)
    store.upsert(own, [Item("a", "a red fox", vector=[1, 0])])
    judge(own, "fox", "a", 1)
    with pytest.raises(EmbedderError):
        tune_collection(own)


@pytest.mark.django_db
def test_a_weight_that_is_not_named_stays_what_it_was(settings):
    settings.AFN_EMBEDDERS = {"fake": "tests.vectors.test_relevance_tuning.Leaning"}
    notes = store.create_collection("notes")
    assert (keyword_weight(notes, "fox"), keyword_weight(notes, "東京")) == (0.7, 0.9)
    weights.apply(notes, other=0.4, cjk=None)
    stored = store.get_collection("notes")
    assert (keyword_weight(stored, "fox"), keyword_weight(stored, "東京")) == (0.4, 0.9)
    weights.apply(stored, other=None, cjk=0.6)
    assert (keyword_weight(stored, "fox"), keyword_weight(stored, "東京")) == (0.4, 0.6)


@pytest.mark.django_db
def test_weights_are_checked(fill):
    notes = fill("x")
    for wrong in (
        {"other": 1.1, "cjk": None},
        {"other": None, "cjk": -0.1},
        {"other": float("nan"), "cjk": 0},
    ):
        with pytest.raises(InvalidCollection):
            weights.apply(notes, **wrong)
    assert store.get_collection("notes").keyword_weight is None

"""Behind a filter, searches by codes find what exact ones find, however few rows it lets through."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vectors.clouds import DIMENSIONS
from vectors import store, strategies
from vectors.index.training import rebuild
from vectors.models import Collection
from vectors.search import SearchResult, search
from vectors.store import Item

ROWS = 20_000
CLUSTERS = 40
SHARES = (0.5, 0.1, 0.02, 0.005, 0.001, 0.000_1)
_made: dict[str, tuple[np.ndarray, np.ndarray]] = {}


@pytest.fixture
def filtered(transactional_db: None) -> Collection:
    """Rows around 40 centres; `n` is spread evenly, `cluster` goes with where a row lies."""
    random = np.random.default_rng(5)
    centres = random.standard_normal((CLUSTERS, DIMENSIONS))
    clusters = random.integers(CLUSTERS, size=ROWS)
    matrix = (centres[clusters] + 0.6 * random.standard_normal((ROWS, DIMENSIONS))).astype("f4")
    numbers = random.permutation(ROWS)
    collection = store.create_collection("filtered", embedder="", dimensions=DIMENSIONS, strategy="ivf")
    items = (
        Item(str(at), "x", vector=row, metadata={"n": int(numbers[at]), "cluster": int(clusters[at])})
        for at, row in enumerate(matrix)
    )
    store.upsert(collection, items)
    rebuild(collection, lists=120)
    _made["rows"] = (matrix, clusters)
    strategies.forget()
    return collection


def ask(collection: Collection, vector: np.ndarray, condition: object, strategy: str, k: int) -> SearchResult:
    return search(collection, vector=vector, k=k, mode="semantic", filter=condition, strategy=strategy)


@pytest.mark.parametrize("strategy", ["quantised", "ivf"])
@pytest.mark.parametrize("k", [1, 10, 60])
def test_every_share_is_found_as_an_exact_search_finds_it(filtered, strategy, k):
    matrix, _clusters = _made["rows"]
    random = np.random.default_rng(k)
    for share in SHARES:
        condition = {"n": {"lt": round(ROWS * share)}}
        recalls = []
        for at in random.integers(ROWS, size=12):
            vector = matrix[at] + 0.2 * random.standard_normal(DIMENSIONS)
            found = ask(filtered, vector, condition, strategy, k)
            truth = ask(filtered, vector, condition, "exact", k)
            assert len(found.hits) == len(truth.hits) == min(k, round(ROWS * share))
            assert all(hit.metadata["n"] < ROWS * share for hit in found.hits)
            true = {hit.key for hit in truth.hits}
            recalls.append(len(true & {hit.key for hit in found.hits}) / len(true))
        assert np.mean(recalls) >= 0.95, share


@pytest.mark.parametrize("strategy", ["quantised", "ivf"])
def test_a_filter_for_what_lies_elsewhere_is_no_trap(filtered, strategy):
    matrix, clusters = _made["rows"]
    recalls = []
    for at in range(0, ROWS, ROWS // 20):
        condition = {"cluster": int((clusters[at] + 7) % CLUSTERS)}
        found = ask(filtered, matrix[at], condition, strategy, 10)
        truth = ask(filtered, matrix[at], condition, "exact", 10)
        assert len(found.hits) == 10
        recalls.append(len({hit.key for hit in truth.hits} & {hit.key for hit in found.hits}) / 10)
    assert np.mean(recalls) >= 0.95


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at=st.integers(0, ROWS - 1),
    low=st.integers(0, ROWS),
    width=st.integers(0, 400) | st.integers(0, ROWS),
    clusters=st.lists(st.integers(0, CLUSTERS - 1), max_size=3),
    k=st.integers(1, 80),
    strategy=st.sampled_from(["quantised", "ivf", "auto"]),
)
def test_never_fewer_than_there_are(filtered, at, low, width, clusters, k, strategy):
    matrix, _of = _made["rows"]
    condition: dict = {"n": {"gte": low, "lt": low + width}}
    if clusters:
        condition["cluster"] = {"in": clusters}
    found = ask(filtered, matrix[at], condition, strategy, k)
    truth = ask(filtered, matrix[at], condition, "exact", k)
    assert len(found.hits) == len(truth.hits)
    distances = [hit.distance for hit in found.hits]
    assert distances == sorted(distances)
    if found.plan["exhaustive"]:
        assert distances == [hit.distance for hit in truth.hits]


def test_a_filter_that_was_met_needs_one_statement(filtered, django_assert_num_queries):
    matrix, _ = _made["rows"]
    condition = {"n": {"lt": ROWS // 50}}
    for at in range(3):
        ask(filtered, matrix[at], condition, "quantised", 10)
    with django_assert_num_queries(1):
        ask(filtered, matrix[7], condition, "quantised", 10)


@pytest.mark.parametrize("strategy", ["quantised", "ivf"])
def test_the_plan_says_what_the_filter_sorted_out(filtered, strategy):
    matrix, _ = _made["rows"]
    plan = ask(filtered, matrix[0], {"n": {"lt": ROWS // 2}}, strategy, 10).plan
    assert plan["strategy"] == strategy
    assert plan["filtered_out"] > 0
    assert plan["reranked"] >= 10
    exact = ask(filtered, matrix[0], {"n": {"lt": ROWS // 2}}, "exact", 10).plan
    assert (exact["scanned"], exact["reranked"], exact["filtered_out"]) == (ROWS, ROWS // 2, ROWS // 2)

"""A search on a libSQL server: one round trip, and results that it does not send."""

import pytest

from tests.engine.remote.counting import counted_round_trips
from tests.vectors.clouds import cloud, collect, keys, near
from vectors import store
from vectors.errors import InvalidQuery
from vectors.index.training import rebuild
from vectors.models import Collection
from vectors.search import SearchResult, search
from vectors.store import Item
from vectors.strategies import STRATEGIES

pytestmark = pytest.mark.sqld


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_search_is_one_round_trip(server_database: str, many: Collection, strategy: str, mode: str) -> None:
    vector = None if mode == "keyword" else cloud(1)[0]

    def found() -> SearchResult:
        return search("cloud", "row 7", vector=vector, mode=mode, strategy=strategy, using=server_database)

    for _ in range(2):
        found()  # loads what the process keeps
    with counted_round_trips() as trips:
        result = found()
    assert len(trips) == 1
    assert len(result.hits) == 10
    if mode != "keyword":
        assert result.plan["strategy"] == (strategy if strategy != "auto" else "exact")


@pytest.fixture(scope="module")
def many(server_database: str) -> Collection:
    """A collection that has every index."""
    collection = collect(cloud(1_400), using=server_database)
    for strategy in ("ivf", "diskann"):
        rebuild(collection, strategy=strategy, using=server_database)
    return collection


def test_what_a_server_builds_is_what_a_file_has(server_database: str, many: Collection) -> None:
    matrix = cloud(1_400)
    for strategy in ("quantised", "ivf", "diskann"):
        options = {"strategy": strategy, "using": server_database}
        assert [keys(near(many, matrix[at], k=1, **options)) for at in range(0, 1_400, 100)] == [
            [f"k{at}"] for at in range(0, 1_400, 100)
        ]


def test_one_that_was_made_anew_is_followed(server_database: str) -> None:
    for dimensions in (64, 32):
        anew = store.create_collection("anew", dimensions=dimensions, using=server_database)
        store.upsert(anew, [Item(str(dimensions), "a fox")], using=server_database)
        for strategy in ("quantised", "exact"):
            (hit,) = search("anew", "fox", strategy=strategy, using=server_database).hits
            assert hit.key == str(dimensions)
        store.delete_collection("anew", using=server_database)


def test_results_that_are_too_large_name_k(server_database: str) -> None:
    large = store.create_collection("large", embedder="", dimensions=2, using=server_database)
    items = [Item(f"k{at}", "x" * 1_000_000, vector=[1.0, at]) for at in range(12)]
    store.upsert(large, items, using=server_database)
    assert len(search("large", vector=[1.0, 0.0], k=9, using=server_database).hits) == 9
    with pytest.raises(InvalidQuery, match=r"k: expected fewer results.*10 MB.*got 12") as caught:
        search("large", vector=[1.0, 0.0], k=12, using=server_database)
    assert caught.value.field == "k"


def test_the_largest_filter_and_query_pass(server_database: str) -> None:
    wide = store.create_collection("wide", using=server_database)
    items = [Item(f"k{at}", f"word{at}", metadata={"n": at}) for at in range(200)]
    store.upsert(wide, items, using=server_database)
    values = [f"value {at}" for at in range(1_000)]
    condition = {"or": [*({f"field{at}": {"in": values}} for at in range(99)), {"n": {"gte": 0}}]}
    query = " ".join(f"word{at}" for at in range(1_000))
    for strategy in ("exact", "quantised"):
        found = search("wide", query, k=1_000, filter=condition, strategy=strategy, using=server_database)
        assert len(found.hits) == 200

"""A search on a libSQL server: one round trip, and results that it does not send."""

import pytest

from tests.engine.remote.counting import counted_round_trips
from vectors import store
from vectors.errors import CollectionNotFound, InvalidQuery
from vectors.search import search
from vectors.store import Item

pytestmark = pytest.mark.sqld


@pytest.mark.parametrize("strategy", ["exact", "quantised"])
def test_a_search_is_one_round_trip(server_database: str, strategy: str) -> None:
    notes = store.create_collection("notes", using=server_database)
    store.upsert(notes, [Item("fox", "a red fox"), Item("tea", "green tea")], using=server_database)
    search("notes", "fox", strategy=strategy, using=server_database)
    with counted_round_trips() as trips:
        hits = search("notes", "fox", strategy=strategy, using=server_database).hits
    assert ([hit.key for hit in hits], len(trips)) == (["fox", "tea"], 1)
    notes.delete()
    with pytest.raises(CollectionNotFound):
        search("notes", "fox", strategy=strategy, using=server_database)


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

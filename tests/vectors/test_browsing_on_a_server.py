"""What pages, counts, deletes and schemas do on a libSQL server."""

import pytest

from tests.engine.remote.counting import counted_round_trips
from vectors import store
from vectors.browsing import pages
from vectors.errors import InvalidCollection, InvalidQuery
from vectors.store import Item

pytestmark = pytest.mark.sqld


def test_each_read_is_one_round_trip(server_database: str) -> None:
    schema = {"lang": {"type": "string", "indexed": True}}
    notes = store.create_collection("read", metadata_schema=schema, using=server_database)
    rows = [Item(f"k{at}", f"text {at}", metadata={"lang": "en" if at % 2 else "ja"}) for at in range(20)]
    store.upsert(notes, rows, using=server_database)
    condition = {"lang": "en"}
    with counted_round_trips() as trips:
        page = store.scroll(notes, filter=condition, limit=3, with_vectors=True, using=server_database)
        assert [item.key for item in page.items] == ["k1", "k3", "k5"]
        assert store.count(notes, condition, using=server_database) == 10
        found = store.facet(notes, "lang", using=server_database)
        assert [(one.value, one.count) for one in found] == [("en", 10), ("ja", 10)]
    assert len(trips) == 3
    assert store.delete_matching(notes, condition, using=server_database) == 10
    assert store.count(notes, using=server_database) == 10
    with pytest.raises(InvalidCollection, match="'k0', 'k2'"):
        store.set_metadata_schema(notes, {"lang": {"type": "integer"}}, using=server_database)
    store.set_metadata_schema(notes, {}, using=server_database)


def test_pages_shrink_to_what_a_server_sends(server_database: str) -> None:
    large = store.create_collection("large", using=server_database)
    for at in range(14):
        store.upsert(large, [Item(f"k{at}", f"{at} " + "x" * 999_000)], using=server_database)
    with pytest.raises(InvalidQuery, match="limit: expected fewer items"):
        store.scroll(large, limit=14, using=server_database)
    with pytest.raises(InvalidQuery, match="keys: expected fewer keys"):
        store.get_many(large, [f"k{at}" for at in range(14)], using=server_database)
    found = [item.key for page in pages(large, limit=200, using=server_database) for item in page.items]
    assert found == [f"k{at}" for at in range(14)]

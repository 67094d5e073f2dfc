"""Upserts write what changed, all of it or nothing, and ids stand for content."""

import numpy as np
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.vectors.fakes import FakeEmbedder
from vectors import store
from vectors.errors import EmbedderError, InvalidItem, InvalidVector, StaleBatch
from vectors.search import search
from vectors.store import Item, UpsertResult

pytestmark = pytest.mark.django_db


@pytest.fixture
def notes(fill):
    return fill("a red fox", "a blue whale", "a green frog")


def test_it_reads_back_what_it_wrote():
    collection = store.create_collection("notes")
    store.upsert(
        collection, [Item("鍵", "本文\n𠮷", "題", {"a": [1, 2.5, None, True, "é"], "b": {"c": 2**60}})]
    )
    found = store.get(collection, "鍵")
    assert (found.title, found.text) == ("題", "本文\n𠮷")
    assert found.metadata == {"a": [1, 2.5, None, True, "é"], "b": {"c": 2**60}}


def test_unchanged_items_are_neither_embedded_nor_written(notes, embedder):
    with CaptureQueriesContext(connection) as queries:
        result = store.upsert(notes, [Item("k0", "a red fox"), Item("k1", "a blue whale")])
    assert result == UpsertResult(unchanged=2)
    assert embedder.calls == []
    assert not [q for q in queries if q["sql"].lstrip().startswith(("INSERT", "UPDATE", "DELETE"))]


def test_changed_content_gets_a_new_id_and_keeps_its_birthday(notes):
    before = store.get(notes, "k0")
    assert store.upsert(notes, [Item("k0", "a red vixen")]) == UpsertResult(updated=1)
    after = store.get(notes, "k0")
    assert after.id > before.id
    assert after.created_at == before.created_at
    assert after.updated_at > before.updated_at
    assert [hit.key for hit in search(notes, "vixen", mode="keyword").hits] == ["k0"]
    assert search(notes, "fox", mode="keyword").hits == []


def test_changed_metadata_keeps_the_id_and_the_embedding(notes, embedder):
    before = store.get(notes, "k0")
    assert store.upsert(notes, [Item("k0", "a red fox", metadata={"n": 1})]) == UpsertResult(updated=1)
    after = store.get(notes, "k0")
    assert (after.id, after.metadata) == (before.id, {"n": 1})
    assert embedder.calls == []


def test_only_changed_items_are_embedded(notes, embedder):
    result = store.upsert(notes, [Item("k0", "a red fox"), Item("k1", "whales"), Item("k9", "new", "title")])
    assert result == UpsertResult(inserted=1, updated=1, unchanged=1)
    assert embedder.calls == [["whales", "title\nnew"]]


def test_deleting_takes_items_out_of_all_legs(notes):
    assert store.delete(notes, ["k0", "nothing"]) == 1
    assert store.delete(notes, []) == 0
    assert store.get(notes, "k0") is None
    assert store.count(notes) == 2
    for mode in ("keyword", "semantic", "hybrid"):
        assert "k0" not in [hit.key for hit in search(notes, "a red fox", mode=mode).hits]


@pytest.mark.parametrize("key", ["\ud800", "k0\x00", ""])
def test_keys_that_no_item_can_have_are_not_there(notes, key):
    assert store.get(notes, key) is None
    assert store.get_many(notes, [key, "k1"]).keys() == {"k1"}
    assert store.vectors_by_key(notes, [key, "k1"]).keys() == {"k1"}
    assert store.delete(notes, [key]) == 0
    assert store.count(notes) == 3


def test_an_id_is_never_given_out_again(notes):
    last = max(item.id for item in store.iterate(notes))
    store.delete(notes, ["k0", "k1", "k2"])
    store.upsert(notes, [Item("k0", "a red fox")])
    assert store.get(notes, "k0").id > last


def test_one_bad_item_stops_the_batch(notes):
    with pytest.raises(InvalidItem) as caught:
        store.upsert(notes, [Item("k7", "fine"), Item("k8", "")])
    assert (caught.value.field, caught.value.got) == ("items[1].text", "0 characters")
    assert store.count(notes) == 3


def test_a_key_may_occur_once_in_a_batch(notes):
    with pytest.raises(InvalidItem, match=r"items\[1\].key"):
        store.upsert(notes, [Item("k7", "one"), Item("k7", "two")])


@pytest.mark.parametrize(
    ("item", "field", "got"),
    [
        (Item("", "t"), "key", "0 characters"),
        (Item("k" * 513, "t"), "key", "513 characters"),
        (Item(7, "t"), "key", "int 7"),
        (Item("k", " \n"), "text", r"' \n'"),
        (Item("k", "x" * 1_000_001), "text", "1,000,001 characters"),
        (Item("k", "a\0b"), "text", "NUL at character 1"),
        (Item("k", "a\ud800"), "text", "the lone surrogate U+D800 at character 1"),
        (Item("k", "t", "x\0"), "title", "NUL at character 1"),
        (Item("k", "t", metadata=[1]), "metadata", "list [1]"),
        (Item("k", "t", metadata={"a": float("nan")}), "metadata.a", "nan"),
        (Item("k", "t", metadata={"a": float("inf")}), "metadata.a", "inf"),
        (Item("k", "t", metadata={"a": 2**63}), "metadata.a", str(2**63)),
        (Item("k", "t", metadata={"a": {1}}), "metadata.a", "set {1}"),
        (Item("k", "t", metadata={1: 1}), "metadata name", "int 1"),
        (Item("k", "t", metadata={"a": "\0"}), "metadata.a", "NUL at character 0"),
        (Item("k", "t", metadata={"a": "x" * 65_536}), "metadata", "65,544 bytes"),
        (Item("k", "t", metadata={"a": [[[[[[[[1]]]]]]]]}), "metadata.a", "a deeper value"),
    ],
)
def test_it_names_what_is_wrong_with_an_item(notes, item, field, got):
    with pytest.raises(InvalidItem) as caught:
        store.upsert(notes, [item])
    assert (caught.value.field, caught.value.got) == (f"items[0].{field}", got)


def test_metadata_may_be_eight_levels_deep(notes):
    deep = {"a": [[[[[[[1]]]]]]]}
    store.upsert(notes, [Item("k9", "t", metadata=deep)])
    assert store.get(notes, "k9").metadata == deep


def test_a_text_of_a_million_characters_fits(notes):
    text = "東京 " * 333_333
    store.upsert(notes, [Item("k9", text)])
    assert store.get(notes, "k9").text == text
    assert [hit.key for hit in search(notes, "東京", mode="keyword").hits] == ["k9"]


def test_the_caller_may_bring_the_embeddings():
    collection = store.create_collection("own", embedder="", dimensions=3)
    store.upsert(collection, [Item("a", "x", vector=[1, 0, 0]), Item("b", "y", vector=np.array([0, 1, 0]))])
    assert store.vectors_by_key(collection, ["b", "z"])["b"].tolist() == [0, 1, 0]
    assert store.upsert(collection, [Item("a", "x", vector=[1, 0, 0])]) == UpsertResult(unchanged=1)
    assert store.upsert(collection, [Item("a", "x", vector=[1, 1, 0])]) == UpsertResult(updated=1)
    with pytest.raises(InvalidItem, match="no embedder"):
        store.upsert(collection, [Item("c", "z")])
    with pytest.raises(InvalidVector, match="3 dimensions, got 2"):
        store.upsert(collection, [Item("c", "z", vector=[1, 0])])


def test_a_search_by_text_needs_an_embedder():
    collection = store.create_collection("own", embedder="", dimensions=3)
    store.upsert(collection, [Item("a", "cats", vector=[1, 0, 0])])
    with pytest.raises(EmbedderError, match="pass vectors"):
        search(collection, "cats")
    assert search(collection, "cats", mode="keyword").hits[0].key == "a"
    assert search(collection, "cats", vector=[1, 0, 0]).hits[0].ranks == {"keyword": 1, "semantic": 1}


def test_embedding_happens_before_the_transaction(notes):
    depth = len(connection.savepoint_ids)

    class Watcher(FakeEmbedder):
        def embed(self, texts):
            assert len(connection.savepoint_ids) == depth
            return super().embed(texts)

    store.upsert(notes, [Item("k9", "new")], embedder=Watcher())


def test_a_batch_prepared_before_somebody_deleted_is_refused_and_prepared_anew(notes):
    prepared = store.prepare(notes, [Item("k0", "a red fox"), Item("k5", "new")])
    store.delete(notes, ["k0"])
    with pytest.raises(StaleBatch), transaction.atomic():
        store.write(notes, prepared)
    assert store.count(notes) == 2


def test_upsert_survives_a_writer_between_its_two_steps(notes):
    class Meddler(FakeEmbedder):
        def embed(self, texts):
            store.delete(notes, ["k0"])
            return super().embed(texts)

    result = store.upsert(notes, [Item("k0", "a red fox"), Item("k5", "new")], embedder=Meddler())
    assert result == UpsertResult(inserted=2)


def test_an_embedder_of_wrong_dimensions_writes_nothing(notes):
    with pytest.raises(InvalidVector, match="64 dimensions, got 32"):
        store.upsert(notes, [Item("k5", "new")], embedder=FakeEmbedder(dimensions=32))
    assert store.count(notes) == 3


def test_an_embedder_that_leaves_texts_out_writes_nothing(notes):
    class Short(FakeEmbedder):
        def embed(self, texts):
            return super().embed(texts)[:-1]

    with pytest.raises(EmbedderError, match="expected 2 embeddings, one a text, got 1"):
        store.upsert(notes, [Item("k5", "new"), Item("k6", "newer")], embedder=Short())
    assert store.count(notes) == 3


def test_iteration_goes_by_id_across_batches(fill):
    collection = fill(*(f"text {n}" for n in range(25)), name="many")
    items = list(store.iterate(collection, batch=7))
    assert [item.key for item in items] == [f"k{n}" for n in range(25)]
    assert [item.key for item in store.iterate(collection, after=items[20].id)] == [
        "k21",
        "k22",
        "k23",
        "k24",
    ]
    ids, matrix = zip(*store.iterate_vectors(collection, batch=10), strict=True)
    assert np.concatenate(ids).tolist() == [item.id for item in items]
    assert np.concatenate(matrix).shape == (25, 64)


def test_the_number_of_statements_does_not_grow_with_the_batch(notes):
    def statements(size: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            store.upsert(notes, [Item(f"{size}-{n}", f"text {n} of {size}") for n in range(size)])
        return len(queries)

    # The many pass a stride of ids, so that one looks whether there is to be a block of codes.
    assert statements(2) + 2 == statements(400)


def test_a_write_asks_once_about_its_collection(notes, django_assert_num_queries):
    def asked(captured):
        return sum("vector_collections" in query["sql"] for query in captured)

    with django_assert_num_queries(2) as preparing:  # the collection, what is stored
        prepared = store.prepare(notes, [Item("k9", "new")])
    with django_assert_num_queries(7) as writing:  # the same within a savepoint, item, embedding, full text
        store.write(notes, prepared)
    with django_assert_num_queries(6) as deleting:  # a savepoint, the collection, three tables
        store.delete(notes, ["k9"])
    assert [asked(one) for one in (preparing, writing, deleting)] == [1, 1, 1]


def test_a_large_batch_is_cut_into_statements(notes):
    texts = [Item(f"big{n}", f"{n} " + "x" * 300_000) for n in range(10)]
    assert store.upsert(notes, texts) == UpsertResult(inserted=10)
    assert store.get(notes, "big7").text.startswith("7 x")
    assert store.vectors_by_key(notes, ["big7"])["big7"].shape == (64,)

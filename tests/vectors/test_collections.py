"""A collection and its tables come and go together."""

import pytest
from django.db import IntegrityError, connection, transaction

from vectors import store
from vectors.errors import CollectionNotFound, EmbedderError, InvalidCollection
from vectors.models import Collection
from vectors.sql import Tables
from vectors.store import Item

pytestmark = pytest.mark.django_db


def tables() -> set[str]:
    return {name for name in connection.introspection.table_names() if name.startswith("vec_")}


def test_creating_a_collection_creates_its_tables():
    collection = store.create_collection("notes")
    assert {f"vec_{collection.pk}_{kind}" for kind in ("items", "vectors", "fts")} <= tables()
    assert (collection.embedder, collection.model, collection.dimensions) == ("fake", "words", 64)


@pytest.mark.parametrize("how", ["function", "instance", "queryset"])
def test_deleting_a_collection_drops_its_tables(how):
    collection = store.create_collection("notes")
    if how == "function":
        store.delete_collection("notes")
    elif how == "instance":
        collection.delete()
    else:
        Collection.objects.filter(name="notes").delete()
    assert not tables()


def test_a_rolled_back_creation_leaves_nothing():
    with transaction.atomic():
        store.create_collection("notes")
        transaction.set_rollback(True)
    assert not tables()
    assert not Collection.objects.exists()


def test_a_rolled_back_deletion_keeps_the_items(fill):
    collection = fill("one")
    with transaction.atomic():
        store.delete_collection("notes")
        transaction.set_rollback(True)
    assert store.count(collection) == 1


def test_saving_again_keeps_the_items(fill):
    collection = fill("one")
    collection.keyword_weight = 0.3
    collection.save()
    assert store.count(collection) == 1


def test_leftover_tables_of_nobody_are_replaced():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sqlite_sequence WHERE name = 'vector_collections'")
        cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('vector_collections', 76)")
        cursor.execute("CREATE TABLE vec_77_items (stale TEXT)")
    collection = store.create_collection("notes")
    assert collection.pk == 77
    assert store.count(collection) == 0


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " a"}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"metric": "dot"}, "metric"),
        ({"strategy": "hnsw"}, "strategy"),
        ({"keyword_weight": 1.5}, "keyword_weight"),
        ({"keyword_weight_cjk": -0.5}, "keyword_weight_cjk"),
        ({"embedder": ""}, "dimensions"),
        ({"embedder": "", "dimensions": 0}, "dimensions"),
        ({"embedder": "", "dimensions": 65_537}, "dimensions"),
    ],
)
def test_it_refuses(arguments, field):
    with pytest.raises(InvalidCollection) as caught:
        store.create_collection(**{"name": "notes", **arguments})
    assert caught.value.field == field
    assert not tables()


def test_a_name_may_be_in_any_script():
    store.create_collection("プロンプト集")
    assert store.get_collection("プロンプト集").name == "プロンプト集"


def test_a_taken_name_is_refused():
    store.create_collection("notes")
    with pytest.raises(InvalidCollection, match="not taken"), transaction.atomic():
        store.create_collection("notes")


def test_an_unknown_name_is_not_found():
    with pytest.raises(CollectionNotFound) as caught:
        store.get_collection("nothing")
    assert (caught.value.field, caught.value.got) == ("collection", "'nothing'")


def test_the_database_itself_refuses_a_wrong_metric():
    with pytest.raises(IntegrityError), transaction.atomic():
        Collection(name="x", dimensions=3, metric="dot").save()


def test_settings_give_the_defaults(settings):
    settings.VECTOR_METRIC = "l2"
    settings.VECTOR_INDEX_TYPE = "exact"
    collection = store.create_collection("notes")
    assert (collection.metric, collection.strategy) == ("l2", "exact")


def test_an_unknown_embedder_lists_the_valid_ones():
    with pytest.raises(EmbedderError, match=r"fake, openai, sentence-transformers, wordllama.*'word2vec'"):
        store.create_collection("notes", embedder="word2vec")


def test_a_collection_whose_embedder_changed_says_so():
    collection = store.create_collection("notes", embedder="wordllama")
    Collection.objects.update(model="l3_supercat")
    with pytest.raises(EmbedderError, match="l2_supercat"):
        store.upsert(store.get_collection("notes"), [Item("k", "text")])
    assert store.count(collection) == 0


def test_identifiers_come_from_integers_only():
    for pk in (None, "1; DROP TABLE x", True):
        with pytest.raises(InvalidCollection):
            Tables(pk, 3, "cosine")

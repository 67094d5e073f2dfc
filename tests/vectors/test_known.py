"""Searches by name look nothing up, and yet go by what the database holds, whoever changed it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from tests.prompts.databases import opened
from tests.vectors.fakes import FakeEmbedder
from vectors import known, store
from vectors.embedders import get_embedder
from vectors.errors import CollectionNotFound, EmbedderError, InvalidVector, StaleBatch
from vectors.index.cache import registry
from vectors.models import Collection
from vectors.search import search
from vectors.store import Item

pytestmark = pytest.mark.django_db
Fill = Callable[..., Collection]


@pytest.fixture(autouse=True)
def _met_before(fill: Fill) -> None:
    """A collection that this process has searched already."""
    known._known.clear()
    fill("a red fox", "a blue whale", "green tea")
    assert [hit.key for hit in search("notes", "fox", k=1).hits] == ["k0"]


def set_by_sql(column: str, value: object) -> None:
    """As another process would, of which this one hears nothing."""
    with connection.cursor() as cursor:
        cursor.execute(f'UPDATE "{Collection._meta.db_table}" SET "{column}" = %s', [value])


def statements(query: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        search("notes", query)
    return len(queries)


def test_a_changed_weight_counts_at_once_and_costs_one_more_statement_once():
    set_by_sql("keyword_weight", 1.0)
    assert [statements("fox"), statements("fox")] == [2, 1]
    assert [hit.score for hit in search("notes", "fox").hits if hit.ranks["keyword"] is None] == [0.0, 0.0]


def test_a_name_that_leads_to_another_collection_is_followed(fill: Fill):
    fill("fox trot", name="dances")
    for old, new in (("notes", "old-notes"), ("dances", "notes")):
        with connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{Collection._meta.db_table}" SET name = %s WHERE name = %s',
                [new, old],
            )
    assert [hit.text for hit in search("notes", "fox").hits] == ["fox trot"]


@pytest.mark.parametrize("strategy", ["exact", "quantised"])
def test_one_that_was_made_anew_with_other_dimensions_is_searched(fill: Fill, strategy: str):
    search("notes", "fox", strategy=strategy)
    store.delete_collection("notes")
    fill("one more fox", "tea", dimensions=32)
    assert search("notes", "fox", k=1, strategy=strategy).hits[0].text == "one more fox"


def make_anew(old: Collection, **options: object) -> Collection:
    """Delete a collection and make one under its primary key, as a rollback or an older file may leave it."""
    pk, name = old.pk, old.name
    store.delete_collection(name)
    values = {"name": name, "embedder": "fake", "model": "words", "dimensions": 64} | options
    collection = Collection(pk=pk, **values)
    collection.save()
    return collection


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rows", [10, 1_000])
def test_codes_are_not_made_of_another_collections_embeddings(rows: int):
    search("notes", "fox", strategy="exact")
    made = make_anew(store.get_collection("notes"), dimensions=32)
    store.upsert(made, [Item(f"n{at}", f"word{at}") for at in range(rows)])
    assert search("notes", "word7", k=1, strategy="quantised").hits[0].key == "n7"


def test_a_collection_object_follows_its_rows():
    old = store.get_collection("notes")
    old.keyword_weight = 0.0
    made = make_anew(store.get_collection("notes"), embedder="", dimensions=32, metric="l2")
    store.upsert(made, [Item("n", "one more fox", vector=[2.0] * 32)])
    (hit,) = search(old, "fox", vector=[1.0] * 32).hits
    assert (hit.key, hit.similarity) == ("n", None)
    assert hit.distance == pytest.approx(32**0.5)
    assert (old.dimensions, old.metric) == (64, "cosine")  # the caller's own is left alone


@pytest.mark.parametrize("name", ["\ud800", "a\0b", "x" * 1_000])
def test_a_name_that_no_collection_can_have_is_not_found(name: str):
    with pytest.raises(CollectionNotFound):
        search(name, "fox", mode="keyword")


def test_what_is_kept_holds_no_token(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(connection.settings_dict, "NAME", "libsql://db.example?authToken=canary")
    assert search("notes", "fox", strategy="quantised").hits
    assert known._known
    assert registry._caches
    assert "canary" not in repr((known._known, registry._caches))


def test_one_that_is_gone_is_not_found_and_forgotten():
    store.delete_collection("notes")
    for _ in range(2):
        with pytest.raises(CollectionNotFound, match="'notes'"):
            search("notes", "fox")


def test_one_whose_making_was_rolled_back_is_not_remembered(fill: Fill):
    with transaction.atomic():
        fill("fox", name="never")
        assert search("never", "fox").hits
        transaction.set_rollback(True)
    with pytest.raises(CollectionNotFound):
        search("never", "fox")


def test_another_embedder_is_used_at_once():
    set_by_sql("embedder", "none-such")
    with pytest.raises(EmbedderError, match="none-such"):
        search("notes", "fox")
    set_by_sql("embedder", "fake")
    assert search("notes", "fox").hits
    assert search("notes", vector=[1.0] * 64).hits


def test_a_vector_of_the_new_dimensions_is_taken_and_of_the_old_refused(fill: Fill):
    store.delete_collection("notes")
    fill("tea", dimensions=32)
    assert search("notes", vector=[1.0] * 32).hits
    with pytest.raises(InvalidVector, match="32"):
        search("notes", vector=[1.0] * 64)


def test_a_collection_that_changes_during_every_try_is_given_up():
    class Restless(FakeEmbedder):
        def embed_query(self, text: str) -> np.ndarray:
            self.changes = getattr(self, "changes", 0) + 1
            set_by_sql("keyword_weight", self.changes / 100)
            return get_embedder("fake", model="words", dimensions=64).embed_query(text)

    with pytest.raises(StaleBatch, match="Try again"):
        search("notes", "fox", embedder=Restless(model="words", dimensions=64))


def test_an_error_that_is_not_the_collections_is_raised_as_it_is(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr("vectors.search.run", fail)
    with pytest.raises(OperationalError, match="disk I/O error"):
        search("notes", "fox")


def test_unsaved_settings_of_a_collection_object_count():
    notes = store.get_collection("notes")
    notes.keyword_weight = 1.0
    assert {hit.score for hit in search(notes, "fox").hits if hit.ranks["keyword"] is None} == {0.0}


@pytest.fixture
def two_files(
    migrated_file: Path, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[list[Path]]:
    """A database with the collection `forked`, and a fork of it where the same ids stand for other texts."""
    files = [tmp_path / "one.db", tmp_path / "two.db"]
    rows = [[f"{word}{at}" for at in range(1_100)] for word in ("early", "one", "two")]
    with django_db_blocker.unblock():
        shutil.copyfile(migrated_file, files[0])
        with opened("elsewhere", files[0]) as alias:
            collection = store.create_collection("forked", strategy="quantised", using=alias)
            store.upsert(collection, [Item(text, text) for text in rows[0]])
        shutil.copyfile(files[0], files[1])
        for file, texts in zip(files, rows[1:], strict=True):
            with opened("elsewhere", file) as alias:
                store.upsert(store.get_collection("forked", using=alias), [Item(t, t) for t in texts])
        yield files


def test_databases_that_take_turns_under_one_alias_are_not_mixed_up(two_files: list[Path]):
    for _ in range(2):
        for file, word in zip(two_files, ("one", "two"), strict=True):
            with opened("elsewhere", file) as alias:
                found = search("forked", f"{word}299", k=1, mode="semantic", using=alias)
                assert (found.hits[0].key, found.plan["strategy"]) == (f"{word}299", "quantised")


def test_an_older_file_put_in_place_is_searched_by_what_it_holds(two_files: list[Path]):
    live, older = two_files
    with opened("elsewhere", live) as alias:
        assert search("forked", "one299", k=1, mode="semantic", using=alias).hits[0].key == "one299"
    with opened("elsewhere", older) as alias:
        store.renew_generation(store.get_collection("forked", using=alias))
    shutil.copyfile(older, live)
    with opened("elsewhere", live) as alias:
        assert search("forked", "two299", k=1, mode="semantic", using=alias).hits[0].key == "two299"

"""Searches by name look nothing up, and yet go by what the database holds, whoever changed it."""

from collections.abc import Callable

import numpy as np
import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError
from django.test.utils import CaptureQueriesContext

from tests.vectors.fakes import FakeEmbedder
from vectors import known, store
from vectors.embedders import get_embedder
from vectors.errors import CollectionNotFound, EmbedderError, InvalidVector, StaleBatch
from vectors.models import Collection
from vectors.search import search

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

    monkeypatch.setattr("vectors.search.execute", fail)
    with pytest.raises(OperationalError, match="disk I/O error"):
        search("notes", "fox")


def test_unsaved_settings_of_a_collection_object_count():
    notes = store.get_collection("notes")
    notes.keyword_weight = 1.0
    assert {hit.score for hit in search(notes, "fox").hits if hit.ranks["keyword"] is None} == {0.0}

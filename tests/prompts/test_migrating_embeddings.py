"""The index of prompts changes its embedding model without a pause, and nothing changes it back."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from prompts import indexing
from prompts.models import PromptEmbedding
from prompts.search import search_prompts
from tests.prompts.conftest import Make
from vectors import store
from vectors.migrating import changing
from vectors.models import Collection

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _other_embedder(settings: Any) -> None:
    settings.AFN_EMBEDDERS = settings.AFN_EMBEDDERS | {"other": "tests.vectors.fakes.OtherEmbedder"}


def found(query: str) -> list[str]:
    return [hit.prompt.name for hit in search_prompts(query).results]


def seen_by_sql() -> list[tuple[str, int]]:
    """Model and size of each embedding, as the view shows them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT model, length(embedding) FROM prompt_embeddings ORDER BY created_at")
        return cursor.fetchall()


def check_in_step(rows: int, model: str, dimensions: int) -> None:
    assert indexing.count_outdated() == 0
    assert seen_by_sql() == [(model, 4 * dimensions)] * rows
    collections = set(PromptEmbedding.objects.values_list("collection", flat=True))
    assert collections == {indexing.get_collection().pk}
    assert store.count(indexing.get_collection()) == rows


def test_prompts_are_searched_and_saved_all_along(make: Make, run: Any, run_json: Any) -> None:
    make("fox", "a red fox")
    make("whale", "a blue whale")
    run("migrate_embeddings", "prompts", "--embedder", "other", "--dimensions", 32, "--yes")
    before = indexing.get_collection()
    make("tea", "green tea")
    check_in_step(3, "words", 64)
    assert run_json("migrate_embeddings", "prompts", "--status")["rows_missing"] == 0
    run("migrate_embeddings", "prompts", "--switch", "--force")
    check_in_step(3, "other-1", 32)
    assert found("blue whale")[0] == "whale"
    make("crow", "a black crow")
    check_in_step(4, "other-1", 32)
    # A worker that read the collection before the switch.
    prompt = make("late", "a late owl")
    indexing._index_batch(before, [prompt])
    check_in_step(5, "other-1", 32)
    run("migrate_embeddings", "prompts", "--rollback")
    check_in_step(5, "words", 64)
    assert found("black crow")[0] == "crow"
    run("migrate_embeddings", "prompts", "--switch", "--force")
    run("migrate_embeddings", "prompts", "--drop", "--yes")
    check_in_step(5, "other-1", 32)
    assert Collection.objects.count() == 1


def test_the_setting_does_not_undo_it(make: Make, run: Any) -> None:
    make("fox", "a red fox")
    run("migrate_embeddings", "prompts", "--embedder", "other", "--yes")
    run("migrate_embeddings", "prompts", "--switch", "--force")
    said = io.StringIO()
    call_command("embed_prompts", stdout=io.StringIO(), stderr=said)
    assert "The index was made by other, which it keeps using" in said.getvalue()
    assert indexing.get_collection().embedder == "other"
    assert found("red fox") == ["fox"]


def test_a_rebuild_ends_the_migration(make: Make, run: Any) -> None:
    make("fox", "a red fox")
    run("migrate_embeddings", "prompts", "--embedder", "other", "--yes")
    run("embed_prompts", "--rebuild")
    assert changing.find(indexing.get_collection()) is None
    assert Collection.objects.count() == 1
    check_in_step(1, "words", 64)

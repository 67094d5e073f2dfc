"""The index follows the prompts: at once where it can, with `embed_prompts` where it could not."""

import io
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from prompts import indexing
from prompts.models import Prompt, PromptEmbedding, User
from prompts.search import search_prompts
from tests.prompts.conftest import Make
from tests.vectors.fakes import FakeEmbedder
from vectors import store
from vectors.errors import EmbedderError

pytestmark = pytest.mark.django_db


def found(query: str, **options: Any) -> list[str]:
    return [hit.prompt.name for hit in search_prompts(query, **options).results]


def insert(user: User, content: str, **values: Any) -> str:
    """A prompt written with plain SQL; returns its id."""
    row = {"user_id": user.pk, "title": "T", "content": content} | values
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(row))
        cursor.execute(
            f"INSERT INTO prompts({', '.join(row)}) VALUES ({marks}) RETURNING id", list(row.values())
        )
        return cursor.fetchone()[0]


def test_a_prompt_is_found_once_it_is_saved_and_no_more_when_it_is_gone(
    make: Make, django_capture_on_commit_callbacks: Any
) -> None:
    prompt = make("fox", "a red fox")
    make("whale", "a blue whale")
    assert found("red fox", k=1) == ["fox"]
    with django_capture_on_commit_callbacks(execute=True):
        prompt.delete()
    assert found("red fox", mode="keyword") == []
    assert store.count(indexing.get_collection()) == 1


def test_a_change_is_searchable_and_its_record_says_which_version(
    make: Make, django_capture_on_commit_callbacks: Any
) -> None:
    prompt = make("pet", "a red fox")
    with django_capture_on_commit_callbacks(execute=True):
        prompt.content = "a green parrot"
        prompt.save()
    assert found("fox", mode="keyword") == []
    assert found("parrot", mode="keyword") == ["pet"]
    record = PromptEmbedding.objects.get()
    assert (record.version.version, record.content_hash, record.model) == (2, prompt.content_hash, "words")


def test_a_new_status_alone_embeds_nothing_anew(
    make: Make, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = make("fox", "a red fox", status="draft")
    texts: list[str] = []
    embed = FakeEmbedder.embed
    monkeypatch.setattr(FakeEmbedder, "embed", lambda self, new: texts.extend(new) or embed(self, new))
    with django_capture_on_commit_callbacks(execute=True):
        prompt.status = "active"
        prompt.save()
    assert texts == []
    assert found("fox", mode="keyword", status="active") == ["fox"]
    assert found("fox", mode="keyword", status="draft") == []


def test_a_prompt_is_saved_while_its_embedder_fails(
    make: Make, run_json: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, caplog: Any
) -> None:
    make("first")
    with monkeypatch.context() as patch:
        patch.setattr(FakeEmbedder, "embed", lambda self, texts: 1 / 0)
        make("second", "a red fox")
    assert "division by zero" in caplog.text
    assert Prompt.objects.get(name="second").versions.count() == 1
    assert found("fox", mode="keyword") == []
    assert indexing.count_outdated() == 1
    assert run_json("embed_prompts") == {"inserted": 1, "updated": 0, "unchanged": 1}
    assert found("fox", mode="keyword") == ["second"]
    assert indexing.count_outdated() == 0


@pytest.mark.usefixtures("broken_embedder")
def test_the_very_first_prompt_is_saved_while_the_embedder_fails(make: Make) -> None:
    make("first")
    assert Prompt.objects.get().versions.count() == 1


def test_a_rollback_leaves_the_index_alone(make: Make) -> None:
    from django.db import transaction

    prompt = make("fox", "a red fox")
    with transaction.atomic():
        prompt.content = "a green parrot"
        prompt.save()
        transaction.set_rollback(True)
    assert found("fox", mode="keyword") == ["fox"]


def test_embed_prompts_repairs_what_plain_sql_left(make: Make, user: User, run_json: Any) -> None:
    changed, gone = make("changed", "a red fox"), make("gone", "a blue whale")
    new = insert(user, "a green parrot")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE prompts SET content = 'a yellow canary' WHERE id = %s", [changed.pk])
        for table in ("prompt_embedding_records", "prompt_versions"):
            cursor.execute(f"DELETE FROM {table} WHERE prompt_id = %s", [gone.pk])
        cursor.execute("DELETE FROM prompts WHERE id = %s", [gone.pk])
    assert found("whale", mode="keyword") == []  # still in the index, yet not shown
    assert run_json("embed_prompts") == {"inserted": 1, "updated": 1, "unchanged": 0}
    assert [version.version for version in changed.versions.all()] == [2, 1]
    assert Prompt.objects.get(pk=new).versions.get().content == "a green parrot"
    assert found("canary", mode="keyword") == ["changed"]
    assert {item.key for item in store.iterate(indexing.get_collection())} == {changed.pk, new}
    assert run_json("embed_prompts") == {"inserted": 0, "updated": 0, "unchanged": 2}


def test_one_row_that_cannot_be_indexed_keeps_no_other_out(
    user: User, run_json: Any, caplog: pytest.LogCaptureFixture
) -> None:
    fine = [insert(user, f"prompt {number}") for number in range(3)]
    bad = [insert(user, " \n"), insert(user, "x" * 1_000_001), insert(user, "deep", tags="[" * 20 + "]" * 20)]
    with caplog.at_level(logging.WARNING):
        assert run_json("embed_prompts") == {"inserted": 3, "updated": 0, "unchanged": 0}
    assert {item.key for item in store.iterate(indexing.get_collection())} == set(fine)
    for key in bad:
        assert f"Prompt {key} cannot be searched" in caplog.text


def test_more_prompts_than_a_batch(user: User, run_json: Any) -> None:
    for number in range(indexing.BATCH + 5):
        insert(user, f"prompt number {number}")
    assert indexing.count_outdated() == 105
    assert run_json("embed_prompts") == {"inserted": 105, "updated": 0, "unchanged": 0}
    assert (indexing.count_outdated(), PromptEmbedding.objects.count()) == (0, 105)


def test_it_says_what_it_did(make: Make, run: Any) -> None:
    make("a")
    assert run("embed_prompts").strip() == "0 inserted, 0 updated, 1 unchanged"
    assert run("embed_prompts", "--verbosity", 0).strip() == "0 inserted, 0 updated, 1 unchanged"


@pytest.mark.parametrize("change", ["edit", "archive", "delete"])
def test_what_happens_while_a_prompt_is_embedded_is_not_undone(
    make: Make, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    prompt = make("fox", "a red fox", status="active")
    embed = FakeEmbedder.embed
    happened: list[str] = []

    def slowly(embedder: FakeEmbedder, texts: Any) -> Any:
        if not happened:
            happened.append(change)
            other = Prompt.objects.get(pk=prompt.pk)
            if change == "edit":
                other.content = "a white fox"
                other.save(index=False)
            elif change == "archive":
                Prompt.objects.filter(pk=other.pk).update(status="archived")
            else:
                Prompt.objects.filter(pk=other.pk).delete()
        return embed(embedder, texts)

    monkeypatch.setattr(FakeEmbedder, "embed", slowly)
    prompt.content = "a brown fox"
    indexing.index([prompt])

    item = store.get(indexing.get_collection(), prompt.pk)
    if change == "delete":
        assert item is None
    else:
        stored = Prompt.objects.get(pk=prompt.pk)
        assert item is not None
        assert (item.text, item.metadata["status"]) == (stored.content, stored.status)


def test_another_embedder_is_told_and_taken_over_by_a_rebuild(
    make: Make, run: Any, run_json: Any, settings: Any
) -> None:
    make("fox", "a red fox")
    settings.AFN_EMBEDDERS = settings.AFN_EMBEDDERS | {"other": "tests.vectors.fakes.OtherEmbedder"}
    settings.AFN_EMBEDDER = "other"
    said = io.StringIO()
    call_command("embed_prompts", stdout=io.StringIO(), stderr=said)
    assert "Pass --rebuild to change over." in said.getvalue()
    assert indexing.get_collection().embedder == "fake"
    assert run_json("embed_prompts", "--rebuild")["inserted"] == 1
    assert indexing.get_collection().embedder == "other"
    assert found("red fox") == ["fox"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT model FROM prompt_embeddings")
        assert cursor.fetchall() == [("other-1",)]


def test_a_rebuild_that_cannot_start_leaves_the_index(make: Make, settings: Any) -> None:
    make("fox", "a red fox")
    settings.AFN_EMBEDDER, settings.OPENAI_API_KEY = "openai", ""
    with pytest.raises(EmbedderError):
        indexing.rebuild_collection()
    settings.AFN_EMBEDDER = "fake"
    assert found("red fox") == ["fox"]


def test_foreign_items_are_kept_out_of_the_index(make: Make, run: Any, tmp_path: Any) -> None:
    make("fox", "a red fox")
    file = tmp_path / "items.jsonl"
    file.write_text('{"key": "x", "text": "alpha"}\n', encoding="utf-8")
    with pytest.raises(CommandError, match="change those instead"):
        run("import_items", "prompts", str(file))
    assert store.count(indexing.get_collection()) == 1


def test_outdated_prompts_are_estimated_from_those_that_changed_last(
    make: Make, user: User, run_json: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert indexing.estimate_outdated() == 0
    old = insert(user, "never indexed")
    assert indexing.estimate_outdated() == 1
    run_json("embed_prompts")
    for number in range(4):
        make(f"indexed-{number}")
    assert indexing.estimate_outdated() == 0
    Prompt.objects.filter(name__in=["indexed-2", "indexed-3"]).update(version=2)
    assert indexing.estimate_outdated() == indexing.count_outdated() == 2
    monkeypatch.setattr(indexing, "_LATEST", 3)
    assert indexing.estimate_outdated() == 2
    Prompt.objects.filter(pk=old).update(version=2, updated_at=timezone.now() - timedelta(days=1))
    assert (indexing.estimate_outdated(), indexing.count_outdated()) == (2, 3)  # "at least"
    for number in range(3):
        insert(user, f"never indexed {number}")
    assert indexing.estimate_outdated() == 3

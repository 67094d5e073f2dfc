"""What the database itself gives and refuses: rows written with plain SQL by whoever reads the schema."""

import json
import re
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction

from prompts import indexing
from prompts.models import Evaluation, Prompt, PromptVersion, User
from vectors import store

pytestmark = pytest.mark.django_db

HEX = re.compile(r"[0-9a-f]{32}")


def sql(text: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def user_id() -> str:
    sql("INSERT INTO users(clerk_id, email) VALUES ('clerk_1', 'a@example.com')")
    return sql("SELECT id FROM users")[0][0]


@pytest.fixture
def prompt_id(user_id: str) -> str:
    sql("INSERT INTO prompts(user_id, title, content) VALUES (%s, 'T', 'C')", user_id)
    return sql("SELECT id FROM prompts")[0][0]


def test_a_user_needs_only_the_two_columns_that_matter(user_id: str) -> None:
    user = User.objects.get(pk=user_id)
    assert HEX.fullmatch(user.pk)
    assert user.metadata == {}
    assert user.created_at is not None
    assert user.updated_at is not None
    assert HEX.fullmatch(user.username)
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, False)
    assert not user.has_usable_password()


def test_a_prompt_needs_only_author_title_and_content(prompt_id: str) -> None:
    prompt = Prompt.objects.get(pk=prompt_id)
    assert HEX.fullmatch(prompt.pk)
    assert HEX.fullmatch(prompt.name)
    assert (prompt.version, prompt.status, prompt.language, prompt.source) == (1, "draft", "", "")
    assert (prompt.tags, prompt.metadata) == ([], {})
    assert prompt.created_at is not None
    assert prompt.updated_at is not None


def test_an_evaluation_needs_prompt_score_and_metrics(prompt_id: str) -> None:
    sql("INSERT INTO evaluations(prompt_id, score, metrics) VALUES (%s, 0.5, '{\"f1\": 0.4}')", prompt_id)
    evaluation = Evaluation.objects.get()
    assert HEX.fullmatch(evaluation.pk)
    assert (evaluation.score, evaluation.metrics, evaluation.version) == (0.5, {"f1": 0.4}, None)
    assert evaluation.created_at is not None


def test_ids_of_the_database_differ(user_id: str) -> None:
    for number in range(50):
        sql("INSERT INTO prompts(user_id, title, content) VALUES (%s, %s, 'C')", user_id, str(number))
    assert len(set(Prompt.objects.values_list("pk", "name"))) == 50


@pytest.mark.parametrize(
    "values",
    [
        {"status": "published"},
        {"status": ""},
        {"status": None},
        {"content": ""},
        {"content": None},
        {"title": None},
        {"version": 0},
        {"version": -1},
        {"tags": "not json"},
        {"metadata": "{"},
    ],
)
def test_the_database_refuses_a_wrong_prompt(user_id: str, values: dict[str, Any]) -> None:
    row = {"user_id": user_id, "title": "T", "content": "C"} | values
    names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    with pytest.raises(IntegrityError), transaction.atomic():
        sql(f"INSERT INTO prompts({names}) VALUES ({marks})", *row.values())
    assert not Prompt.objects.exists()


@pytest.mark.parametrize("status", ["draft", "active", "archived"])
def test_the_database_takes_every_known_status(user_id: str, status: str) -> None:
    sql("INSERT INTO prompts(user_id, title, content, status) VALUES (%s, 'T', 'C', %s)", user_id, status)
    assert Prompt.objects.get().status == status


@pytest.mark.parametrize("score", [1.5, -0.01, "good", None])
def test_the_database_refuses_a_score_that_is_no_share(prompt_id: str, score: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        sql("INSERT INTO evaluations(prompt_id, score, metrics) VALUES (%s, %s, '{}')", prompt_id, score)


@pytest.mark.parametrize("score", [0, 1, 0.0, 1.0])
def test_the_bounds_belong_to_the_scores(prompt_id: str, score: float) -> None:
    sql("INSERT INTO evaluations(prompt_id, score, metrics) VALUES (%s, %s, '{}')", prompt_id, score)
    assert Evaluation.objects.get().score == score


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO prompts(user_id, title, content) VALUES ('nobody', 'T', 'C')",
        "INSERT INTO evaluations(prompt_id, score, metrics) VALUES ('nothing', 0.5, '{}')",
        "INSERT INTO prompt_versions(prompt_id, version, content, content_hash) VALUES ('x', 1, 'C', 'h')",
    ],
)
def test_the_database_refuses_rows_of_nobody(statement: str) -> None:
    with pytest.raises(IntegrityError):
        sql(statement)


def test_names_addresses_and_clerk_ids_occur_once(user_id: str) -> None:
    insert = "INSERT INTO users(clerk_id, email) VALUES (%s, %s)"
    for clerk_id, email in [
        ("clerk_1", "b@example.com"),
        ("clerk_2", "a@example.com"),
        ("c", "A@Example.com"),
    ]:
        with pytest.raises(IntegrityError), transaction.atomic():
            sql(insert, clerk_id, email)
    sql(insert, None, "b@example.com")
    sql(insert, None, "c@example.com")  # any number of people without one
    assert User.objects.count() == 3


def test_a_version_number_occurs_once_a_prompt(prompt_id: str) -> None:
    insert = "INSERT INTO prompt_versions(prompt_id, version, content, content_hash) VALUES (%s, 1, 'C', 'h')"
    sql(insert, prompt_id)
    with pytest.raises(IntegrityError), transaction.atomic():
        sql(insert, prompt_id)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("users", "email"),
        ("users", "clerk_id"),
        ("prompts", "user_id"),
        ("prompts", "status"),
        ("prompts", "name"),
        ("prompt_versions", "prompt_id"),
        ("evaluations", "prompt_id"),
        ("prompt_embedding_records", "prompt_id"),
    ],
)
def test_what_rows_are_looked_up_by_is_indexed(table: str, column: str) -> None:
    indexes = [row[1] for row in sql(f"PRAGMA index_list({table})")]
    first_columns = {sql(f"PRAGMA index_info({index})")[0][2] for index in indexes}
    assert column in first_columns


def test_the_view_gives_each_embedding_with_its_prompt(make: Any) -> None:
    prompt = make("fox", "The quick brown fox.")
    rows = sql("SELECT id, prompt_id, embedding, model, created_at FROM prompt_embeddings")
    [(row_id, prompt_id, embedding, model, created_at)] = rows
    assert HEX.fullmatch(row_id)
    assert (prompt_id, model) == (prompt.pk, "words")
    assert created_at
    vector = store.vectors_by_key(indexing.get_collection(), [prompt.pk])[prompt.pk]
    assert np.array_equal(np.frombuffer(embedding, "<f4"), vector)


def test_the_view_is_there_before_the_first_prompt_and_follows_deletions(make: Any) -> None:
    assert sql("SELECT id, prompt_id, embedding, model, created_at FROM prompt_embeddings") == []
    prompt = make("fox")
    prompt.delete()
    assert sql("SELECT * FROM prompt_embeddings") == []


def test_the_database_computes_distances_over_the_view(make: Any) -> None:
    fox, whale = make("fox", "a red fox"), make("whale", "a blue whale")
    nearest = (
        "SELECT prompt_id FROM prompt_embeddings ORDER BY vector_distance_cos(embedding, "
        "(SELECT embedding FROM prompt_embeddings WHERE prompt_id = %s))"
    )
    assert sql(nearest, fox.pk) == [(fox.pk,), (whale.pk,)]


def test_deleting_a_user_deletes_all_that_is_his(make: Any, user: User) -> None:
    prompt = make("mine")
    prompt.content = "Second"
    prompt.save()
    Evaluation.objects.create(prompt=prompt, version=prompt.versions.first(), score=1)
    other = User.objects.create_user("other", "other@example.com")
    kept = Prompt.objects.create(user=other, name="kept", title="Kept", content="C")
    kept.content = "By aoi"
    kept.save(author=user)
    user.delete()
    assert list(Prompt.objects.all()) == [kept]
    assert not Evaluation.objects.exists()
    assert list(PromptVersion.objects.values_list("version", "author")) == [(2, None), (1, other.pk)]


def test_json_columns_hold_json(make: Any) -> None:
    prompt = make("p", tags=["要約", "it's"], metadata={"a": [1, {"b": None}]})
    [(tags, metadata)] = sql("SELECT tags, metadata FROM prompts")
    assert (json.loads(tags), json.loads(metadata)) == (prompt.tags, prompt.metadata)
    assert [found.pk for found in Prompt.objects.tagged("要約")] == [prompt.pk]
    assert [found.pk for found in Prompt.objects.tagged("it's")] == [prompt.pk]
    assert not Prompt.objects.tagged("要").exists()

"""Deleting and changing with plain SQL, where Django is not asked."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from prompts import database as registry
from prompts import indexing, trash
from prompts.labels import move_label
from prompts.models import (
    ApiKey,
    Evaluation,
    LabelMove,
    LabelSplit,
    Prompt,
    PromptEmbedding,
    PromptVersion,
    User,
)
from prompts.splits import start_split

pytestmark = pytest.mark.django_db(transaction=True)


def run(sql: str, *params: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


@pytest.fixture
def author() -> User:
    user = User.objects.create(username="author", email="author@example.org")
    user.groups.add(Group.objects.create(name="writers"))
    ApiKey.issue(user, "key", ["read"])
    LogEntry.objects.create(
        user=user, content_type=ContentType.objects.get_for_model(User), action_flag=1, object_repr="x"
    )
    prompt = Prompt.objects.create(user=user, name="a", title="A", content="one")
    prompt.content = "two"
    prompt.save()
    Evaluation.objects.create(prompt=prompt, version=prompt.versions.first(), score=1)
    return user


def test_deleting_a_user_with_plain_sql_deletes_what_belongs_to_it(author: User) -> None:
    run("DELETE FROM users WHERE id = %s", author.pk)
    for model in (Prompt, PromptVersion, Evaluation, PromptEmbedding, ApiKey, LogEntry):
        assert not model.objects.exists(), model
    assert not User.groups.through.objects.exists()
    connection.check_constraints()


def test_deleting_a_prompt_with_plain_sql_leaves_its_author(author: User) -> None:
    run("DELETE FROM prompts WHERE name = %s", "a")
    assert not PromptVersion.objects.exists()
    assert User.objects.filter(pk=author.pk).exists()
    connection.check_constraints()
    indexing.index_everything()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM prompt_embeddings")
        assert cursor.fetchone() == (0,)


def test_an_author_who_leaves_is_taken_off_the_versions_of_others(author: User) -> None:
    other = User.objects.create(username="other", email="other@example.org")
    prompt = Prompt.objects.get()
    prompt.content = "three"
    prompt.save(author=other)
    run("DELETE FROM users WHERE id = %s", other.pk)
    assert prompt.versions.get(version=3).author is None


@pytest.mark.parametrize("column", ["content", "content_hash", "version"])
def test_a_version_cannot_be_changed_by_any_way(author: User, column: str) -> None:
    with pytest.raises(IntegrityError, match="immutable"):
        run(f"UPDATE prompt_versions SET {column} = 9 WHERE version = 1")
    with pytest.raises(IntegrityError, match="immutable"), transaction.atomic():
        PromptVersion.objects.filter(version=1).update(**{column: 9})
    assert PromptVersion.objects.get(version=1).content == "one"


LOG = "the log of labels is only added to"


@pytest.fixture
def moved(author: User) -> Prompt:
    prompt = Prompt.objects.get()
    for number in (1, 2):
        move_label(prompt, "production", number, actor=author)
    return prompt


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE label_moves SET reason = 'another'",
        "UPDATE label_moves SET actor_id = (SELECT id FROM users WHERE username = 'other')",
        "UPDATE label_moves SET id = id + 10",
        "UPDATE label_moves SET undoes_id = (SELECT min(id) FROM label_moves)",
        "DELETE FROM label_moves",
        "DELETE FROM label_moves WHERE id = (SELECT max(id) FROM label_moves)",
        "REPLACE INTO label_moves SELECT * FROM label_moves",
        "INSERT OR REPLACE INTO label_moves SELECT * FROM label_moves",
    ],
)
def test_a_line_of_the_log_of_labels_cannot_be_changed_by_any_way(moved: Prompt, statement: str) -> None:
    User.objects.create(username="other", email="other@example.org")
    before = list(LabelMove.objects.values())
    with pytest.raises(IntegrityError, match=LOG):
        run(statement)
    with pytest.raises(IntegrityError, match=LOG):
        LabelMove.objects.all().delete()
    assert list(LabelMove.objects.values()) == before


def test_whoever_moved_a_label_may_leave(moved: Prompt) -> None:
    other = User.objects.create(username="other", email="other@example.org")
    Prompt.objects.update(user=other)
    run("DELETE FROM users WHERE username = 'author'")
    assert {(one.actor, one.actor_name) for one in LabelMove.objects.all()} == {(None, "author")}


@pytest.mark.parametrize("way", ["purge", "orm", "sql", "user", "user in sql", "flush"])
def test_the_log_of_labels_goes_with_its_prompt(moved: Prompt, way: str) -> None:
    match way:
        case "purge":
            trash.delete_prompt(moved, actor=None)
            trash.purge(timedelta(0), now=timezone.now() + timedelta(days=1))
        case "orm":
            moved.delete()
        case "sql":
            run("DELETE FROM prompts")
        case "user":
            User.objects.get().delete()
        case "user in sql":
            run("DELETE FROM users")
        case "flush":
            call_command("flush", interactive=False, verbosity=0)
    assert not LabelMove.objects.exists()
    assert not Prompt.everything.exists()
    connection.check_constraints()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE prompt_versions SET message = 'another'",
        "UPDATE prompt_versions SET parent_id = id WHERE version = 1",
        "UPDATE prompt_versions SET author_id = (SELECT id FROM users WHERE username = 'other')",
        "REPLACE INTO prompt_versions SELECT * FROM prompt_versions",
        "REPLACE INTO prompt_versions (prompt_id, version, content, content_hash) "
        "SELECT prompt_id, version, 'another', content_hash FROM prompt_versions",
    ],
)
def test_what_a_version_came_from_cannot_be_changed_either(author: User, statement: str) -> None:
    User.objects.create(username="other", email="other@example.org")
    before = list(PromptVersion.objects.values())
    with pytest.raises(IntegrityError, match="immutable"):
        run(statement)
    assert list(PromptVersion.objects.values()) == before


def test_nor_can_the_type_of_a_prompt_be_replaced(author: User) -> None:
    with pytest.raises(IntegrityError, match="chosen once"):
        run(
            "REPLACE INTO prompts(id, user_id, title, content, type) "
            "SELECT id, user_id, 'A', 'x', 'chat' FROM prompts"
        )
    assert Prompt.objects.get().type == "text"
    run(
        "INSERT INTO prompts(id, user_id, title, content) SELECT id, user_id, 'New', content FROM prompts "
        "WHERE true ON CONFLICT (id) DO UPDATE SET title = excluded.title"
    )
    assert Prompt.objects.get().title == "New"


def test_a_split_that_runs_is_not_replaced_by_another(moved: Prompt) -> None:
    arms = [{"version": 2, "weight": 1}, {"version": 1, "weight": 1}]
    split = start_split(moved, "production", arms, actor=moved.user)
    with pytest.raises(IntegrityError, match="never change"):
        run(
            "INSERT OR REPLACE INTO label_splits (id, prompt_id, label, arms, salt, alpha, created_at) "
            "SELECT 'another', prompt_id, label, arms, salt, alpha, created_at FROM label_splits"
        )
    assert LabelSplit.objects.get() == split
    run("UPDATE label_splits SET ended_at = '2026-01-01 00:00:00'")
    start_split(moved, "production", arms, actor=moved.user)


def test_nothing_of_all_this_is_left_where_a_migration_runs(db: None) -> None:
    names = "SELECT name FROM sqlite_master WHERE name GLOB 'afn_*' OR name = 'prompt_embeddings'"
    with connection.cursor() as cursor:
        made = cursor.execute(names).fetchall()
        registry.drop()
        left = cursor.execute(names).fetchall()
        registry.create()
        assert ("afn_prompts_including",) in made
        assert left == []
        assert sorted(cursor.execute(names).fetchall()) == sorted(made)

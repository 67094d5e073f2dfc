"""Deleting and changing with plain SQL, where Django is not asked."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction

from prompts import indexing
from prompts.models import ApiKey, Evaluation, Prompt, PromptEmbedding, PromptVersion, User

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

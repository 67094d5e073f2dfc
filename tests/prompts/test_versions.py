"""Saving prompts: new content is a version, in one transaction, and versions only grow."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, OperationalError, connection, transaction

from prompts.models import Prompt, PromptVersion, User
from prompts.models.prompt import hash_content

pytestmark = pytest.mark.django_db


def numbers(prompt: Prompt) -> list[tuple[int, str]]:
    return list(prompt.versions.order_by("version").values_list("version", "content"))


def stored(prompt: Prompt) -> tuple[int, str]:
    return Prompt.objects.values_list("version", "content").get(pk=prompt.pk)


@pytest.fixture
def prompt(user: User) -> Prompt:
    return Prompt.objects.create(user=user, name="p", title="P", content="one")


def test_a_new_prompt_has_its_first_version(prompt: Prompt, user: User) -> None:
    version = prompt.versions.get()
    assert (version.version, version.content, version.parent, version.author) == (1, "one", None, user)
    assert version.content_hash == prompt.content_hash == hash_content("one")
    assert str(version) == "p v1"


def test_new_content_makes_a_version_with_its_author_and_reason(prompt: Prompt) -> None:
    editor = User.objects.create_user("editor", "editor@example.com")
    prompt.content = "two"
    prompt.save(author=editor, message="Shorter")
    newest, first = prompt.versions.all()
    assert (newest.version, newest.parent, newest.author, newest.message) == (2, first, editor, "Shorter")
    assert stored(prompt) == (2, "two")


def test_identical_content_makes_none(prompt: Prompt) -> None:
    prompt.title, prompt.tags = "Other", ["new"]
    prompt.save()
    assert numbers(prompt) == [(1, "one")]
    assert stored(prompt) == (1, "one")


def test_old_content_again_is_a_new_version(prompt: Prompt) -> None:
    for content in ("two", "one"):
        prompt.content = content
        prompt.save()
    assert numbers(prompt) == [(1, "one"), (2, "two"), (3, "one")]


@pytest.mark.parametrize("content", ["one ", "One", "one\n", "o\u200bne", "é", "e\u0301"])
def test_content_counts_to_the_last_character(prompt: Prompt, content: str) -> None:
    prompt.content = content
    prompt.save()
    assert numbers(prompt) == [(1, "one"), (2, content)]


def test_a_stale_object_never_lowers_the_version(prompt: Prompt) -> None:
    stale = Prompt.objects.get(pk=prompt.pk)
    for content in ("two", "three"):
        prompt.content = content
        prompt.save()
    stale.content = "from stale"
    stale.save()
    assert stored(prompt) == (4, "from stale")
    assert [number for number, _ in numbers(prompt)] == [1, 2, 3, 4]


def test_a_stale_object_that_saves_its_title_alone_touches_no_content(prompt: Prompt) -> None:
    stale = Prompt.objects.get(pk=prompt.pk)
    prompt.content = "two"
    prompt.save()
    stale.title = "Renamed"
    stale.save(update_fields=["title"])
    assert numbers(prompt) == [(1, "one"), (2, "two")]
    assert stored(prompt) == (2, "two")
    stale.save(update_fields=["title", "version"])
    assert stored(prompt) == (2, "two")


def test_content_that_is_not_saved_makes_no_version(prompt: Prompt) -> None:
    prompt.content, prompt.title = "not meant", "Renamed"
    prompt.save(update_fields=["title"])
    assert numbers(prompt) == [(1, "one")]
    assert stored(prompt) == (1, "one")


def test_saving_the_content_alone_saves_what_follows_from_it(prompt: Prompt) -> None:
    changed = Prompt.objects.get(pk=prompt.pk).updated_at
    prompt.content, prompt.title = "two", "not meant"
    prompt.save(update_fields=["content"])
    found = Prompt.objects.get(pk=prompt.pk)
    assert (found.version, found.content, found.title) == (2, "two", "P")
    assert found.updated_at > changed


def test_a_prompt_loaded_in_part_is_saved_in_part(prompt: Prompt) -> None:
    part = Prompt.objects.only("title").get(pk=prompt.pk)
    part.title = "Renamed"
    part.save()
    assert numbers(prompt) == [(1, "one")]
    assert stored(prompt) == (1, "one")


def test_plain_sql_cannot_make_a_number_shrink(prompt: Prompt) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE prompts SET version = 7, content = 'seven' WHERE id = %s", [prompt.pk])
    prompt = Prompt.objects.get(pk=prompt.pk)
    prompt.save()
    assert numbers(prompt) == [(1, "one"), (7, "seven")]
    prompt.content = "eight"
    prompt.save()
    assert stored(prompt) == (8, "eight")


def test_versions_are_immutable(prompt: Prompt) -> None:
    version = prompt.versions.get()
    version.content = "changed"
    with pytest.raises(TypeError, match="immutable"):
        version.save()
    with pytest.raises(TypeError, match="immutable"):
        version.save(update_fields=["message"])
    assert numbers(prompt) == [(1, "one")]


def test_a_failing_save_leaves_nothing_half_written(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: PromptVersion, *args: Any, **kwargs: Any) -> None:
        raise OperationalError("disk full")

    prompt.content = "two"
    with monkeypatch.context() as patch:
        patch.setattr(PromptVersion, "save", fail)
        with pytest.raises(OperationalError):
            prompt.save()
    assert stored(prompt) == (1, "one")
    assert numbers(prompt) == [(1, "one")]
    prompt.save()
    assert stored(prompt) == (2, "two")


def test_a_refused_save_leaves_no_version(prompt: Prompt) -> None:
    prompt.content, prompt.status = "two", "published"
    with pytest.raises(IntegrityError), transaction.atomic():
        prompt.save()
    assert numbers(prompt) == [(1, "one")]


@pytest.mark.parametrize("content", ["a\ud800b", "a\0b", ""])
def test_content_that_cannot_be_stored_leaves_nothing(user: User, content: str) -> None:
    with pytest.raises((DataError, IntegrityError, UnicodeEncodeError)), transaction.atomic():
        Prompt(user=user, name="bad", title="Bad", content=content).save()
    assert not Prompt.objects.exists()
    assert not PromptVersion.objects.exists()


def test_a_name_that_is_taken_leaves_no_version(prompt: Prompt, user: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Prompt.objects.create(user=user, name="p", title="Q", content="other")
    assert PromptVersion.objects.count() == 1


def test_a_prompt_without_a_name_gets_one(user: User) -> None:
    prompt = Prompt.objects.create(user=user, title="T", content="C")
    assert len(Prompt.objects.get(pk=prompt.pk).name) == 32


@pytest.mark.parametrize(
    "text",
    ["x" * 1_000_000, "😀" * 1000, "要約\r\n\t\x01", 'it\'s "quoted" %s {} ; --', "\u2028\u2029\x85\ufeff"],
)
def test_content_comes_back_as_it_went_in(user: User, text: str) -> None:
    prompt = Prompt(user=user, name="n", title="T", content=text)
    prompt.full_clean()
    prompt.save()
    assert Prompt.objects.get().content == text
    assert prompt.versions.get().content == text


def test_folders_are_told_by_case_and_by_whole_names(user: User) -> None:
    for name in ("work/a", "work/sub/b", "Work/c", "workshop/d", "work", "work0", "wor/k"):
        Prompt.objects.create(user=user, name=name, title="T", content=name)
    inside = {"work/a", "work/sub/b"}
    for folder in ("work", "work/", "/work/"):
        assert set(Prompt.objects.in_folder(folder).values_list("name", flat=True)) == inside
    assert Prompt.objects.get(name="work/sub/b").folder == "work/sub"
    assert Prompt.objects.get(name="work").folder == ""
    assert not Prompt.objects.in_folder("").exists()


def test_validation_names_the_author_and_the_name_that_is_taken(prompt: Prompt) -> None:
    with pytest.raises(ValidationError) as caught:
        Prompt(name="p", title="T", content="C").full_clean()
    assert {"user", "name"} == set(caught.value.error_dict)

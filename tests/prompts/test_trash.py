"""What is deleted is out of sight, comes back whole, and is gone once it is purged."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from prompts import indexing, trash
from prompts.errors import CompositionProblem, NotThere, Refused
from prompts.labels import labels_of, move_label
from prompts.models import Evaluation, LabelMove, Prompt, PromptVersion
from prompts.search import search_prompts

pytestmark = pytest.mark.django_db
Make = Callable[..., Prompt]


@pytest.fixture
def prompt(make: Make) -> Prompt:
    """With the versions 1 to 3."""
    prompt = make("p", "green parrot")
    for content in ("red fox", "blue whale"):
        prompt.content = content
        prompt.save(index=False)
    return prompt


def kept(prompt: Prompt) -> list[int]:
    return sorted(prompt.versions.kept().values_list("version", flat=True))


def test_a_deleted_prompt_is_out_of_sight_and_comes_back_whole(
    prompt: Prompt, django_capture_on_commit_callbacks: Any
) -> None:
    move_label(prompt, "production", 2, actor=None)
    Evaluation.objects.create(prompt=prompt, version=prompt.versions.first(), score=0.5)
    indexing.index([Prompt.objects.get(pk=prompt.pk)])
    with django_capture_on_commit_callbacks(execute=True):
        trash.delete_prompt(prompt, actor=None)
    assert not Prompt.objects.exists()
    assert [one.as_json() for one in search_prompts("whale", mode="keyword").results] == []
    assert LabelMove.objects.values_list("to_version", "reason").first() == (None, "The prompt was deleted.")
    with django_capture_on_commit_callbacks(execute=True):
        trash.restore_prompt(Prompt.everything.get(), actor=None)
    restored = Prompt.objects.get()
    assert (restored.version, restored.content, kept(restored)) == (3, "blue whale", [1, 2, 3])
    assert (labels_of(restored), Evaluation.objects.count()) == ({"latest": 3}, 1)
    assert len(search_prompts("whale", mode="keyword").results) == 1


def test_a_prompt_is_deleted_once(prompt: Prompt) -> None:
    trash.delete_prompt(prompt, actor=None)
    at = Prompt.everything.get().deleted_at
    trash.delete_prompt(prompt, actor=None)
    assert Prompt.everything.get().deleted_at == at


def test_its_name_may_be_given_away_meanwhile(prompt: Prompt, make: Make) -> None:
    trash.delete_prompt(prompt, actor=None)
    make("p", "another")
    trashed = Prompt.everything.exclude(deleted_at=None).get()
    with pytest.raises(Refused, match="Restore it under another one"):
        trash.restore_prompt(trashed, actor=None)
    with pytest.raises(ValidationError) as caught:
        trash.restore_prompt(trashed, actor=None, name="a|b")
    assert list(caught.value.error_dict) == ["name"]
    trash.restore_prompt(trashed, actor=None, name="p 2")
    assert set(Prompt.objects.values_list("name", flat=True)) == {"p", "p 2"}
    with pytest.raises(NotThere, match="a prompt in the trash"):
        trash.restore_prompt(trashed, actor=None, name="p 3")


def test_without_its_newest_version_a_prompt_is_what_it_was(prompt: Prompt) -> None:
    trash.delete_version(prompt, 3, actor=None)
    now = Prompt.objects.get()
    assert (now.version, now.content, kept(now)) == (2, "red fox", [1, 2])
    now.content = "new"
    now.save(index=False)
    assert kept(now) == [1, 2, 4]  # the number stays with what is in the trash
    trash.restore_version(now, 3, actor=None)
    assert (kept(now), Prompt.objects.get().content) == ([1, 2, 3, 4], "new")


def test_an_older_version_goes_and_nothing_else_changes(prompt: Prompt) -> None:
    before = Prompt.objects.values().get()
    trash.delete_version(prompt, 1, actor=None)
    trash.restore_version(prompt, 1, actor=None)
    assert Prompt.objects.values().get() == before


def test_a_restored_version_is_the_newest_again(prompt: Prompt) -> None:
    trash.delete_version(prompt, 3, actor=None)
    trash.restore_version(prompt, 3, actor=None)
    now = Prompt.objects.get()
    assert (now.version, now.content) == (3, "blue whale")
    with pytest.raises(NotThere):
        trash.restore_version(now, 3, actor=None)


def test_the_labels_of_a_version_come_off(prompt: Prompt) -> None:
    for name in ("beta", "production"):
        move_label(prompt, name, 2, actor=None)
    move_label(prompt, "other", 1, actor=None)
    trash.delete_version(prompt, 2, actor=None)
    assert labels_of(Prompt.objects.get()) == {"latest": 3, "other": 1}
    assert LabelMove.objects.filter(to_version=None, reason="Version 2 was deleted.").count() == 2


def test_the_last_version_takes_the_prompt_with_it(prompt: Prompt) -> None:
    for number in (3, 1, 2):
        trash.delete_version(prompt, number, actor=None)
    assert not Prompt.objects.exists()
    trash.restore_prompt(Prompt.everything.get(), actor=None)
    assert (Prompt.objects.get().content, kept(prompt)) == ("red fox", [2])
    with pytest.raises(NotThere):
        trash.delete_version(prompt, 3, actor=None)


def test_a_version_of_a_deleted_prompt_is_not_restored_alone(prompt: Prompt) -> None:
    trash.delete_version(prompt, 3, actor=None)
    trash.delete_prompt(Prompt.objects.get(), actor=None)
    with pytest.raises(NotThere, match="which was deleted"):
        trash.restore_version(prompt, 3, actor=None)
    assert kept(prompt) == [1, 2]


@pytest.mark.parametrize("where", ["label=production", "version=2", "label=latest"])
def test_what_others_include_stays(prompt: Prompt, make: Make, where: str) -> None:
    move_label(prompt, "production", 2, actor=None)
    make("root", f"@@@prompt:name=p|{where}@@@")
    with pytest.raises(Refused, match="p, which root v1 includes"):
        trash.delete_prompt(prompt, actor=None)
    if where != "label=latest":
        with pytest.raises(Refused, match="p, which root v1 includes"):
            trash.delete_version(prompt, 2, actor=None)
    trash.delete_version(prompt, 1, actor=None)
    trash.delete_prompt(Prompt.objects.get(name="root"), actor=None)
    trash.delete_prompt(prompt, actor=None)


def test_a_version_whose_parts_are_gone_is_not_the_newest_again(prompt: Prompt, make: Make) -> None:
    inner = make("inner", "x")
    prompt.content = "@@@prompt:name=inner|label=latest@@@"
    prompt.save(index=False)
    trash.delete_version(prompt, 4, actor=None)
    trash.delete_prompt(inner, actor=None)
    with pytest.raises(CompositionProblem, match="inner \\(latest\\), which does not"):
        trash.restore_version(prompt, 4, actor=None)
    assert (Prompt.objects.get().version, kept(prompt)) == (3, [1, 2, 3])


def test_purging_deletes_what_is_old_in_the_trash_and_nothing_else(prompt: Prompt, make: Make) -> None:
    other = make("other")
    now = timezone.now()
    trash.delete_version(prompt, 1, actor=None)
    trash.delete_prompt(other, actor=None)
    assert trash.purge(timedelta(days=30), now=now + timedelta(days=29)) == 0
    assert (Prompt.everything.count(), PromptVersion.objects.count()) == (2, 4)
    assert trash.purge(timedelta(days=30), now=now + timedelta(days=31)) == 1
    assert list(Prompt.everything.all()) == [prompt]
    assert sorted(PromptVersion.objects.values_list("version", flat=True)) == [2, 3]


def test_the_index_does_not_take_what_is_in_the_trash_for_the_newest(prompt: Prompt) -> None:
    prompt.content = "green parrot"  # as version 1
    prompt.save(index=False)
    trash.delete_version(prompt, 4, actor=None)
    trash.delete_version(prompt, 3, actor=None)
    trash.delete_version(prompt, 2, actor=None)
    assert Prompt.objects.get().version == 1
    assert indexing.add_missing_versions() == 0
    indexing.index_everything()
    assert indexing.count_outdated() == 0


def test_a_number_is_never_given_twice(prompt: Prompt) -> None:
    stale = Prompt.objects.get(pk=prompt.pk)
    trash.delete_version(prompt, 3, actor=None)
    trash.purge(timedelta(0), now=timezone.now() + timedelta(days=1))
    stale.content = "grey cat"
    stale.save(index=False)
    assert kept(prompt) == [1, 2, 4]
    stored = Prompt.objects.get(pk=prompt.pk)
    stored.title = "Other"
    stored.save(index=False)
    trash.delete_version(stored, 4, actor=None)
    trash.purge(timedelta(0), now=timezone.now() + timedelta(days=1))
    Prompt.objects.get(pk=prompt.pk).save(index=False)
    stored = Prompt.objects.get(pk=prompt.pk)
    stored.content = "blue whale"
    stored.save(index=False)
    assert kept(prompt) == [1, 2, 5]

"""`move_label` and `empty_trash` as they are typed."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone

from prompts import trash
from prompts.accounts import create_user
from prompts.models import Evaluation, LabelMove, LabelPolicy, Prompt, PromptLabel, PromptVersion, User
from tests.prompts.test_commands import call

pytestmark = pytest.mark.django_db


@pytest.fixture
def prompt(make: Callable[..., Prompt]) -> Prompt:
    prompt = make("folder/p", "1")
    prompt.content = "2"
    prompt.save(index=False)
    return prompt


def evaluate(prompt: Prompt, number: int, *scores: float) -> None:
    version = prompt.versions.get(version=number)
    Evaluation.objects.bulk_create(
        Evaluation(prompt=prompt, version=version, item=str(at), score=score)
        for at, score in enumerate(scores)
    )


def move(*arguments: str) -> tuple[int, Any]:
    code, out, _ = call("move_label", "folder/p", "production", *arguments, "--json")
    return code, json.loads(out)


NOTHING = {"test": None, "n": None, "p": None, "estimate": None, "ci": None}


def test_a_label_without_a_policy_moves(prompt: Prompt) -> None:
    assert move("1", "--reason", "because") == (0, {"moved": True, **NOTHING})
    assert move("1") == (0, {"moved": False, **NOTHING})
    made = LabelMove.objects.get()
    assert (made.to_version, made.reason, made.actor) == (1, "because", None)
    assert call("move_label", prompt.pk, "production", "2")[:2] == (
        0,
        "production of folder/p: moved to version 2\n",
    )


def test_the_gate_decides_and_shows_its_figures(prompt: Prompt) -> None:
    move("1")
    LabelPolicy.objects.create(name="production", evidence="better", minimum_items=3)
    evaluate(prompt, 1, *[0.0] * 12)
    evaluate(prompt, 2, 1.0, 1.0)
    code, answer = move("2")
    assert (code, answer["moved"], answer["n"]) == (1, False, 2)
    code, out, err = call("move_label", "folder/p", "production", "2")
    assert (code, "n 2" in out, "at least 3 items" in err) == (1, True, True)
    assert PromptLabel.objects.get().version.version == 1
    Evaluation.objects.filter(version__version=2).delete()
    evaluate(prompt, 2, *[1.0] * 12)
    code, answer = move("2")
    assert (code, answer["moved"], answer["n"], answer["estimate"]) == (0, True, 12, 1.0)
    assert answer["p"] < 0.05
    assert len(answer["ci"]) == 2
    assert PromptLabel.objects.get().version.version == 2


WRONG = [
    (["nobody", "production", "1"], "name: expected the name or id of a prompt, got 'nobody'"),
    (["folder/p", "production", "3"], "version: expected a version of folder/p, got 3"),
    (["folder/p", "latest", "1"], "which moves by itself"),
    (["folder/p", "Production", "1"], "label: expected 1 to 36 lower-case letters"),
    (["folder/p", "production", "1", "--user", "nobody"], "--user: expected the name or e-mail"),
    (["folder/p", "production", "1", "--user", "editor"], "the permission prompts.move_protected_label"),
    (["folder/p", "staging", "1", "--user", "reader"], "the permission prompts.change_promptlabel"),
    (["folder/p", "staging", "1", "--user", "other"], "a prompt of your own"),
]


@pytest.mark.usefixtures("prompt")
@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_other_problems_are_errors_of_one_line(arguments: list[str], message: str) -> None:
    for name, role in (("editor", "editor"), ("reader", "reader"), ("other", "editor")):
        create_user(name, f"{name}@example.com", role)
    Prompt.objects.update(user=User.objects.get(username="editor"))
    LabelPolicy.objects.create(name="production", is_protected=True)
    with pytest.raises(CommandError, match=message):
        call("move_label", *arguments)
    assert not LabelMove.objects.exists()


def test_the_trash_is_emptied_of_what_is_old(prompt: Prompt, make: Callable[..., Prompt]) -> None:
    old, new = make("old"), make("new")
    trash.delete_version(prompt, 1, actor=None)
    trash.delete_prompt(old, actor=None)
    trash.delete_prompt(new, actor=None)
    before = timezone.now() - timedelta(days=31)
    PromptVersion.objects.filter(prompt=prompt, version=1).update(deleted_at=before)
    Prompt.everything.filter(pk=old.pk).update(deleted_at=before)

    def empty(*arguments: str) -> Any:
        return json.loads(call("empty_trash", *arguments, "--json")[1])

    assert empty("--dry-run") == {"prompts": 1, "versions": 1, "dry_run": True}
    assert Prompt.everything.count() == 3
    assert empty() == {"prompts": 1, "versions": 1, "dry_run": False}
    assert set(Prompt.everything.values_list("name", flat=True)) == {"new", "folder/p"}
    assert [version.version for version in prompt.versions.all()] == [2]
    assert call("empty_trash", "--older-than", "0")[1] == "1 prompts and 0 versions deleted\n"
    for wrong in ("-1", "nan", "1e9"):
        with pytest.raises(CommandError, match="--older-than: expected 0 to"):
            call("empty_trash", f"--older-than={wrong}")

"""Saving as people and applications mean it: checked, all or nothing, and told."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from prompts import trash
from prompts.errors import NotThere, Refused, RegistryProblem
from prompts.events import Event, happened
from prompts.labels import labels_of
from prompts.models import Prompt, PromptVersion, Status, User
from prompts.rendering import messages
from prompts.saving import restore_content, save_prompt, set_status

pytestmark = pytest.mark.django_db
CHAT = messages.dump([{"role": "user", "content": "{{question}}"}])


@pytest.fixture
def prompt(make: Callable[..., Prompt]) -> Prompt:
    return make("p", "one")


@pytest.fixture
def told() -> Iterator[list[Event]]:
    events: list[Event] = []

    def listen(event: Event, **kwargs: Any) -> None:
        events.append(event)

    happened.connect(listen)
    yield events
    happened.disconnect(listen)


def test_versions_labels_and_events_come_together(prompt: Prompt, user: User, told: list[Event]) -> None:
    prompt.content = "two"
    saved = save_prompt(prompt, author=user, message="Why", labels=["beta", "beta", "latest"], base_version=1)
    assert (saved.version, saved.is_new) == (2, True)
    assert labels_of(prompt) == {"latest": 2, "beta": 2}
    assert [one.kind for one in told] == ["version.created", "label.moved"]
    again = save_prompt(prompt, author=user, labels=["production"])
    assert (again.version, again.is_new) == (2, False)
    assert labels_of(prompt)["production"] == 2
    save_prompt(Prompt(user=user, name="q", title="Q", content="x"), author=user)
    assert [one.kind for one in told[2:]] == ["label.moved", "prompt.created"]


@pytest.mark.parametrize(
    "change",
    [
        {"config": {"temperature": 0.2}},
        {"variables": {"name": {"type": "number"}}},
        {"template_format": "jinja2"},
    ],
)
def test_each_part_of_the_payload_makes_a_version(user: User, change: dict[str, Any]) -> None:
    prompt = Prompt(user=user, name="p", title="P", content="Dear {{name}}")
    save_prompt(prompt, author=user)
    for field, value in change.items():
        setattr(prompt, field, value)
    assert save_prompt(prompt, author=user).is_new
    version = prompt.versions.get(version=2)
    assert {field: getattr(version, field) for field in change} == change
    assert restore_content(Prompt.objects.get(), 1, author=user).version == 3
    assert Prompt.objects.get().content_hash == prompt.versions.get(version=1).content_hash


@pytest.mark.parametrize("pair", [({"a": 1}, {"a": True}), ({"a": 1}, {"a": 1.0}), ({}, {"a": None})])
def test_values_that_are_equal_in_python_only_differ(prompt: Prompt, user: User, pair: Any) -> None:
    for config in pair:
        prompt.config = config
        save_prompt(prompt, author=user)
    assert PromptVersion.objects.first().config == pair[1]
    assert prompt.version == (3 if pair[0] else 2)


def test_where_a_label_cannot_move_nothing_is_saved(prompt: Prompt, user: User) -> None:
    prompt.content = "two"
    with pytest.raises(RegistryProblem):
        save_prompt(prompt, author=user, labels=["production", "Wrong"])
    assert Prompt.objects.get().content == "one"
    assert labels_of(Prompt.objects.get()) == {"latest": 1}
    assert prompt.versions.count() == 1


@pytest.mark.parametrize("base", [2, 9])
def test_who_knows_another_newest_version_is_refused(prompt: Prompt, user: User, base: int) -> None:
    prompt.content = "two"
    with pytest.raises(Refused, match=f"version {base} to be the newest, got version 1"):
        save_prompt(prompt, author=user, base_version=base)
    with pytest.raises(Refused, match="got a new prompt"):
        save_prompt(Prompt(user=user, name="q", title="Q", content="x"), author=user, base_version=base)


@pytest.mark.parametrize(("message", "error"), [("x" * 10_001, RegistryProblem), ("\0", ValidationError)])
def test_a_message_has_bounds(prompt: Prompt, user: User, message: str, error: type[Exception]) -> None:
    prompt.content = "two"
    with pytest.raises(error):
        save_prompt(prompt, author=user, message=message)
    assert prompt.versions.count() == 1


def test_a_prompt_that_was_deleted_meanwhile_does_not_go_on_in_the_trash(prompt: Prompt, user: User) -> None:
    stale = Prompt.objects.get()
    trash.delete_prompt(prompt, actor=user)
    stale.content = "two"
    with pytest.raises(NotThere, match="p, which was deleted"):
        save_prompt(stale, author=user)
    assert Prompt.everything.get().content == "one"


def test_a_type_is_chosen_once(prompt: Prompt, user: User) -> None:
    prompt.type, prompt.content = "chat", CHAT
    with pytest.raises(ValidationError, match="Expected text, as in all versions, got chat"):
        save_prompt(prompt, author=user)


def test_a_chat_is_stored_in_its_one_form(user: User) -> None:
    typed = '[ {"content": "{{question}}",\n "role": "user", "type": "message"} ]'
    prompt = Prompt(user=user, name="c", title="C", type="chat", content=typed)
    save_prompt(prompt, author=user)
    assert prompt.content == CHAT
    prompt.content = typed
    assert not save_prompt(prompt, author=user).is_new


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": "chat", "content": "Hello"}, "content"),
        ({"type": "chat", "content": "[]"}, "content"),
        ({"content": "{% if %}", "template_format": "jinja2"}, "content"),
        ({"template_format": "mustache"}, "template_format"),
        ({"variables": {"nobody": {"type": "number"}}}, "variables"),
        ({"variables": []}, "variables"),
        ({"config": "x"}, "config"),
        ({"name": "a/../b"}, "name"),
        ({"name": ".."}, "name"),
        ({"name": "./a"}, "name"),
        ({"name": "a\u200fb"}, "name"),
    ],
)
def test_what_could_not_be_served_is_refused_by_field(user: User, fields: Any, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        save_prompt(Prompt(**{"user": user, "name": "n", "title": "T", "content": "x"} | fields), author=user)
    assert field in caught.value.error_dict


def test_a_status_is_set_alone_and_told(prompt: Prompt, user: User, told: list[Event]) -> None:
    stale = Prompt.objects.get()
    prompt.content = "two"
    save_prompt(prompt, author=user)
    set_status(stale, Status.ARCHIVED, author=user)
    set_status(stale, Status.ARCHIVED, author=user)
    assert (Prompt.objects.get().status, Prompt.objects.get().content) == ("archived", "two")
    assert [(one.kind, one.actor_id) for one in told] == [
        ("version.created", user.pk),
        ("prompt.changed", user.pk),
    ]


def test_restoring_an_old_version_makes_a_new_one(prompt: Prompt, user: User) -> None:
    prompt.content = "two"
    save_prompt(prompt, author=user)
    assert restore_content(prompt, 1, author=user).version == 3
    newest = prompt.versions.first()
    assert (newest.content, newest.message) == ("one", "Restored version 1")
    trash.delete_version(prompt, 2, actor=user)
    with pytest.raises(NotThere, match="a version of p, got 2"):
        restore_content(prompt, 2, author=user)

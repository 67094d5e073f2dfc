"""Labels: who may move them, what is logged, what is taken back, and what they served when."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone

from prompts import trash
from prompts.errors import NotThere, Protected, RegistryProblem
from prompts.events import Event, happened
from prompts.labels import labels_of, move_label, remove_label, undo, version_at
from prompts.models import LabelMove, LabelPolicy, Prompt, PromptLabel, PromptVersion, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def prompt(make: Callable[..., Prompt]) -> Prompt:
    """With the versions 1 to 4."""
    prompt = make("p", "1")
    for number in range(2, 5):
        prompt.content = str(number)
        prompt.save(index=False)
    return prompt


@pytest.fixture
def editor(db: None) -> User:
    return User.objects.create_user("ben", "ben@example.com")


def move(prompt: Prompt, number: int, name: str = "production", **options: Any) -> Any:
    return move_label(prompt, name, number, **{"actor": None, **options})


def log(prompt: Prompt) -> list[tuple[int | None, int | None]]:
    return list(prompt.label_moves.order_by("id").values_list("from_version", "to_version"))


def test_a_move_is_logged_with_who_and_why(prompt: Prompt, editor: User) -> None:
    moved = move(prompt, 2, actor=editor, reason="Shorter")
    assert (moved.version, moved.evidence) == (2, None)
    entry = LabelMove.objects.get()
    assert moved.move == entry
    assert (entry.label, entry.from_version, entry.to_version) == ("production", None, 2)
    assert (entry.actor, entry.actor_name, entry.reason) == (editor, "ben", "Shorter")
    assert labels_of(prompt) == {"latest": 4, "production": 2}
    editor.delete()
    entry.refresh_from_db()
    assert (entry.actor, entry.actor_name) == (None, "ben")


def test_a_move_to_where_it_is_writes_nothing(prompt: Prompt) -> None:
    move(prompt, 2)
    assert move(prompt, 2).move is None
    assert log(prompt) == [(None, 2)]


def test_each_prompt_has_labels_of_its_own(prompt: Prompt, make: Callable[..., Prompt]) -> None:
    other = make("q")
    move(prompt, 2)
    move(other, 1)
    assert labels_of(other) == {"latest": 1, "production": 1}
    assert labels_of(prompt)["production"] == 2


@pytest.mark.parametrize(
    ("name", "reason", "field"),
    [
        ("latest", "", "label"),
        ("Production", "", "label"),
        ("", "", "label"),
        ("a" * 37, "", "label"),
        ("a/b", "", "label"),
        ("a\n", "", "label"),
        ("本番", "", "label"),
        ("ok", "x" * 2_001, "reason"),
        ("ok", "\0", "reason"),
        ("ok", "\ud800", "reason"),
    ],
)
def test_wrong_labels_and_reasons_are_refused_everywhere(
    prompt: Prompt, name: str, reason: str, field: str
) -> None:
    for change in (
        lambda: move(prompt, 2, name, reason=reason),
        lambda: remove_label(prompt, name, actor=None, reason=reason),
        lambda: undo(prompt, name, actor=None, reason=reason),
    ):
        with pytest.raises(RegistryProblem) as caught:
            change()
        assert caught.value.field == field
        assert caught.value.got
    assert log(prompt) == []


def test_a_version_that_is_not_there_cannot_be_served(prompt: Prompt) -> None:
    trash.delete_version(prompt, 3, actor=None)
    for number in (3, 9):
        with pytest.raises(NotThere, match=f"a version of p, got {number}"):
            move(prompt, number)
    assert log(prompt) == []


def test_a_prompt_in_the_trash_gets_no_labels(prompt: Prompt) -> None:
    stale = Prompt.objects.get(pk=prompt.pk)
    trash.delete_prompt(prompt, actor=None)
    with pytest.raises(NotThere):
        move(stale, 2)
    assert not PromptLabel.objects.exists()


def test_a_label_is_taken_off_once(prompt: Prompt) -> None:
    move(prompt, 2)
    assert remove_label(prompt, "production", actor=None, reason="Over").version is None
    with pytest.raises(NotThere):
        remove_label(prompt, "production", actor=None)
    assert log(prompt) == [(None, 2), (2, None)]
    assert labels_of(prompt) == {"latest": 4}


def test_undo_goes_back_move_by_move(prompt: Prompt) -> None:
    for number in (1, 2, 3):
        move(prompt, number)
    assert [undo(prompt, "production", actor=None).version for _ in range(3)] == [2, 1, None]
    with pytest.raises(NotThere, match="a move of 'production' that can be taken back"):
        undo(prompt, "production", actor=None)
    moves = list(LabelMove.objects.order_by("id"))
    assert [one.undoes_id for one in moves] == [None] * 3 + [one.pk for one in moves[2::-1]]


def test_undo_after_undo_and_new_moves(prompt: Prompt) -> None:
    move(prompt, 1)
    move(prompt, 2)
    undo(prompt, "production", actor=None)  # 1
    move(prompt, 4)
    remove_label(prompt, "production", actor=None)
    assert [undo(prompt, "production", actor=None).version for _ in range(3)] == [4, 1, None]


def test_undo_to_a_version_in_the_trash_is_refused(prompt: Prompt) -> None:
    move(prompt, 1)
    move(prompt, 2)
    trash.delete_version(prompt, 1, actor=None)
    with pytest.raises(NotThere, match="a version of p, got 1"):
        undo(prompt, "production", actor=None)
    assert labels_of(prompt)["production"] == 2


@pytest.fixture
def protected(prompt: Prompt) -> Prompt:
    move(prompt, 1)
    LabelPolicy.objects.create(name="production", is_protected=True)
    return prompt


@pytest.mark.parametrize(
    "change",
    [
        lambda prompt, actor: move(prompt, 2, actor=actor),
        lambda prompt, actor: remove_label(prompt, "production", actor=actor),
        lambda prompt, actor: undo(prompt, "production", actor=actor),
        lambda prompt, actor: trash.delete_version(prompt, 1, actor=actor),
        lambda prompt, actor: trash.delete_prompt(prompt, actor=actor),
    ],
)
def test_a_protected_label_takes_the_permission(protected: Prompt, editor: User, change: Any) -> None:
    with pytest.raises(Protected, match=r"permission prompts\.move_protected_label"):
        change(protected, editor)
    assert labels_of(protected)["production"] == 1
    assert LabelMove.objects.count() == 1
    assert move(protected, 2, "beta", actor=editor).move
    editor.user_permissions.add(Permission.objects.get(codename="move_protected_label"))
    change(protected, User.objects.get(pk=editor.pk))
    assert LabelMove.objects.filter(label="production").count() == 2


def test_what_a_label_served_at_a_time(prompt: Prompt) -> None:
    start = timezone.now() + timedelta(days=1)
    moments = [start + timedelta(hours=n) for n in range(4)]
    move(prompt, 1)
    move(prompt, 3)
    remove_label(prompt, "production", actor=None)
    # The log is kept as it is, but for a test's clock.
    entries = LabelMove.objects.order_by("id").values("prompt_id", "label", "from_version", "to_version")
    rows = [LabelMove(**entry, created_at=moments[n]) for n, entry in enumerate(entries)]
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER afn_label_moves_not_deleted")
    LabelMove.objects.all().delete()
    LabelMove.objects.bulk_create(rows)
    served = [version_at(prompt, "production", moment) for moment in moments]
    assert [one.version if one else None for one in served] == [1, 3, None, None]
    assert version_at(prompt, "production", start - timedelta(seconds=1)) is None
    assert version_at(prompt, "beta", moments[3]) is None


def test_the_newest_at_a_time_knows_of_versions_and_the_trash(prompt: Prompt) -> None:
    now = timezone.now()
    for number in range(1, 5):
        at = now + timedelta(hours=number)
        PromptVersion.objects.filter(prompt=prompt, version=number).update(created_at=at)
    PromptVersion.objects.filter(prompt=prompt, version=3).update(deleted_at=now + timedelta(hours=9))

    def newest(hours: float) -> int | None:
        found = version_at(prompt, "latest", now + timedelta(hours=hours))
        return found.version if found else None

    assert [newest(hours) for hours in (0.5, 1, 2.5, 3.5, 9)] == [None, 1, 2, 3, 4]


def test_a_number_given_anew_is_not_what_was_served(prompt: Prompt) -> None:
    move(prompt, 4)
    moment = timezone.now()
    trash.delete_version(prompt, 4, actor=None)
    trash.purge(timedelta(), now=timezone.now() + timedelta(seconds=1))
    prompt = Prompt.objects.get(pk=prompt.pk)
    prompt.content = "another"
    prompt.save(index=False)
    PromptVersion.objects.filter(prompt=prompt, version=4).update(created_at=moment + timedelta(hours=1))
    assert version_at(prompt, "production", moment) is None


def test_listeners_are_told_within_the_transaction(prompt: Prompt, editor: User) -> None:
    told: list[Event] = []

    def listen(sender: Any, event: Event, **kwargs: Any) -> None:
        told.append(event)

    happened.connect(listen)
    try:
        move(prompt, 2, actor=editor, reason="Why")
        remove_label(prompt, "production", actor=editor)
    finally:
        happened.disconnect(listen)
    assert [(one.kind, one.actor_id, one.data) for one in told] == [
        ("label.moved", editor.pk, {"label": "production", "from": None, "to": 2, "reason": "Why"}),
        ("label.removed", editor.pk, {"label": "production", "from": 2, "to": None, "reason": ""}),
    ]


def test_a_listener_that_fails_stops_the_move(prompt: Prompt) -> None:
    def listen(**kwargs: Any) -> None:
        raise RuntimeError("no")

    happened.connect(listen)
    try:
        with pytest.raises(RuntimeError):
            move(prompt, 2)
    finally:
        happened.disconnect(listen)
    assert labels_of(prompt) == {"latest": 4}
    assert log(prompt) == []

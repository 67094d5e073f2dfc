"""The outbox: written with what it tells of, relayed once, and swept by the command."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, OperationalError, transaction
from pytest_django.fixtures import Settings

from ops import tasks
from ops.outbox import background, recording, starting
from ops.outbox.models import OutboxEvent
from ops.outbox.relaying import relay
from ops.outbox.sweeping import sweep, sweep_to_workers
from ops.webhooks import delivering, saving
from ops.webhooks.models import Delivery
from prompts import queueing, trash
from prompts.events import Event, happened, tell
from prompts.labels import move_label, remove_label
from prompts.models import Evaluation, Prompt, User
from prompts.saving import save_prompt, set_status
from prompts.serving.circuit import Circuit


@pytest.fixture(autouse=True)
def _fake_embedder(fake_embedder: None) -> None:
    """All tests of this folder embed with it."""


@pytest.fixture
def aoi(db: None) -> User:
    return User.objects.create_superuser("aoi", "aoi@example.com", "x")


def new(user: User, name: str = "support/greeting", content: str = "Hello {{name}}.") -> Prompt:
    return Prompt(user=user, name=name, title="T", content=content)


def kinds() -> list[str]:
    return list(OutboxEvent.objects.order_by("happened_at").values_list("kind", flat=True))


def test_what_happens_to_a_prompt_is_in_the_outbox(aoi: User):
    prompt = new(aoi)
    save_prompt(prompt, author=aoi)
    prompt.content = "Good day {{name}}."
    save_prompt(prompt, author=aoi)
    prompt.title = "Other"
    save_prompt(prompt, author=aoi)
    save_prompt(prompt, author=aoi)  # nothing differs
    move_label(prompt, "production", 1, actor=aoi)
    remove_label(prompt, "production", actor=aoi)
    set_status(prompt, "active", author=aoi)  # type: ignore[arg-type]
    Evaluation.objects.create(prompt=prompt, score=0.5)
    trash.delete_version(prompt, 1, actor=aoi)
    trash.restore_version(prompt, 1, actor=aoi)
    trash.delete_prompt(prompt, actor=aoi)
    assert kinds() == [
        "prompt.created", "version.created", "prompt.changed", "label.moved", "label.removed",
        "prompt.changed", "evaluation.created", "version.deleted", "version.restored", "prompt.deleted",
    ]  # fmt: skip
    first, second, third = OutboxEvent.objects.order_by("happened_at")[:3]
    assert (first.prompt_id, first.prompt_name, first.actor_id) == (prompt.pk, "support/greeting", aoi.pk)
    assert third.data == {"version": 2, "changed": {"title": ["T", "Other"]}}
    assert set(second.data["changed"]["content"][0]) == {"sha256", "length"}
    assert "Hello" not in str(list(OutboxEvent.objects.values()))


def test_what_is_rolled_back_did_not_happen(aoi: User):
    with transaction.atomic():
        save_prompt(new(aoi), author=aoi)
        assert kinds() == ["prompt.created"]
        transaction.set_rollback(True)
    assert kinds() == []


def test_what_cannot_be_written_to_the_outbox_does_not_happen(aoi: User, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("The disk is full.")

    monkeypatch.setattr(OutboxEvent.objects, "using", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        save_prompt(new(aoi), author=aoi)
    assert not Prompt.objects.exists()


def test_other_environments_are_told_nowhere(db: None):
    tell(Event("label.moved", "a" * 32, "x"), "environment:staging")  # which is not even open
    assert kinds() == []


def test_everybody_who_listens_is_connected():
    names = {key[0] for key, *_ in happened.receivers}
    assert {"outbox", "audit", "realtime"} <= names


def event() -> OutboxEvent:
    tell(Event("label.moved", "a" * 32, "x"), DEFAULT_DB_ALIAS)
    return OutboxEvent.objects.latest("happened_at")


def test_a_relay_makes_each_delivery_once(settings: Settings, aoi: User):
    for name in ("one", "two"):
        saving.create_webhook({"name": name, "url": "https://example.org/"}, actor=aoi)
    made = event()
    OutboxEvent.objects.update(actor_id=aoi.pk)
    assert relay() == 1
    assert relay() == 0
    assert Delivery.objects.filter(event=made).count() == 2
    made.refresh_from_db()
    assert made.actor_name == "aoi"


def test_a_relay_that_dies_leaves_nothing_half_done(aoi: User, monkeypatch: pytest.MonkeyPatch):
    saving.create_webhook({"name": "one", "url": "https://example.org/"}, actor=aoi)
    event()

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Delivery.objects, "bulk_create", die)
        with pytest.raises(KeyboardInterrupt):
            relay()
    assert OutboxEvent.objects.get().relayed_at is None
    assert relay() == 1
    assert Delivery.objects.count() == 1


def test_a_commit_starts_one_telling(
    aoi: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
):
    started: list[int] = []
    monkeypatch.setattr(starting, "start", lambda: started.append(1))
    with django_capture_on_commit_callbacks(execute=True):
        event()
        event()
    with django_capture_on_commit_callbacks(execute=True):
        recording.start_on_commit()
    assert len(started) == 2


def test_with_a_broker_that_is_down_nobody_waits_and_all_is_kept(
    settings: Settings, aoi: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    settings.CELERY_TASK_ALWAYS_EAGER = False

    def fail(*_: Any, **options: Any) -> None:
        assert options["retry"] is False
        raise OSError("redis://:canary-71@host refused")

    monkeypatch.setattr(queueing, "circuit", Circuit())
    monkeypatch.setattr(tasks.deliver_events, "apply_async", fail)
    monkeypatch.setattr(tasks.deliver_webhook, "apply_async", fail)
    starting.start()
    starting.start()  # not asked again at once
    saving.create_webhook({"name": "one", "url": "https://example.org/"}, actor=aoi)
    event()
    sweep_to_workers()  # nor by this
    before = Delivery.objects.get()
    sweep_to_workers()
    assert Delivery.objects.get().next_attempt_at == before.next_attempt_at
    assert caplog.text.count("no worker could be told: OSError") == 1
    assert "canary-71" not in caplog.text


def test_workers_are_told_of_a_delivery_once(settings: Settings, aoi: User, monkeypatch: pytest.MonkeyPatch):
    told: list[str] = []
    monkeypatch.setattr(tasks.deliver_webhook, "apply_async", lambda key, **_: told.append(key[0]))
    saving.create_webhook({"name": "one", "url": "https://example.org/"}, actor=aoi)
    event()
    sweep_to_workers()
    sweep_to_workers()
    assert told == [Delivery.objects.get().pk]


def test_what_a_sending_thread_raises_is_raised_once_the_others_are_through(
    aoi: User, monkeypatch: pytest.MonkeyPatch
):
    for name in ("one", "two"):
        saving.create_webhook({"name": name, "url": "https://example.org/"}, actor=aoi)
    event()
    tried: list[str] = []

    def deliver(key: str) -> None:
        tried.append(key)
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(delivering, "deliver", deliver)
    with pytest.raises(OperationalError, match="disk is full"):
        sweep(threads=2)
    assert sorted(tried) == sorted(Delivery.objects.values_list("pk", flat=True))


def test_no_thread_is_started_for_a_database_in_memory(
    client: Any, db: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(background._sweeper, "look", lambda: pytest.fail("a thread would see no tables"))
    client.get("/health/live")


def test_the_command_sweeps_and_counts(aoi: User):
    event()
    out = StringIO()
    call_command("deliver_events", json=True, stdout=out)
    assert json.loads(out.getvalue()) == {"relayed": 1, "delivered": 0, "failed": 0}
    call_command("deliver_events", stdout=out)
    assert "0 events relayed, 0 deliveries arrived, 0 failed." in out.getvalue()
    with pytest.raises(CommandError, match="--watch: expected 1 to 3600 seconds, got 0"):
        call_command("deliver_events", watch=0.0)

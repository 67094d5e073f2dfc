"""Deliveries to a real receiver: signed, tried again, given up, paused, resumed, replayed."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from ops.outbox.models import OutboxEvent
from ops.outbox.relaying import relay
from ops.outbox.sweeping import Swept, prune, seconds_until_due, sweep
from ops.webhooks import delivering, retrying, saving, sending
from ops.webhooks.models import Delivery, DeliveryStatus, Webhook
from prompts.errors import Refused
from vectors import outgoing_network

from .receiver import Receiver, answer, documented_check, drip, hang

Hook = Callable[..., saving.Issued]
Happen = Callable[..., OutboxEvent]


def later(**waiting: float) -> None:
    """Let so much time pass for what waits, and for what is claimed."""
    span = timedelta(**waiting)
    for delivery in Delivery.objects.all():
        delivery.next_attempt_at -= span
        delivery.claimed_at = delivery.claimed_at and delivery.claimed_at - span
        delivery.save()


def test_an_event_is_delivered_and_verified_as_documented(receiver: Receiver, hook: Hook, happen: Happen):
    issued = hook()
    event = happen(label="production", **{"from": 3, "to": 4, "reason": "配信を短く"})

    assert sweep() == Swept(relayed=1, delivered=1)
    assert sweep() == Swept()

    (call,) = receiver.calls
    is_from_afn = documented_check()
    signature = call.headers["X-AFN-Signature"]
    assert is_from_afn(issued.secret, signature, call.body)
    assert not is_from_afn(issued.secret, signature, call.body + b" ")
    assert not is_from_afn("whsec_other", signature, call.body)
    moment = int(signature.partition(",")[0].removeprefix("t="))
    assert not is_from_afn(issued.secret, signature, call.body, now=moment + 301)
    assert call.headers["X-AFN-Event"] == "label.moved"
    assert call.headers["X-AFN-Event-Id"] == event.pk
    assert json.loads(call.body) == {
        "id": event.pk,
        "kind": "label.moved",
        "happened_at": event.happened_at.isoformat(),
        "prompt": {"id": "a" * 32, "name": "support/greeting"},
        "actor": None,
        "data": {"label": "production", "from": 3, "to": 4, "reason": "配信を短く"},
    }
    delivery = Delivery.objects.get()
    assert call.headers["X-AFN-Delivery"] == delivery.pk
    assert (delivery.status, delivery.attempts, delivery.response_status) == ("delivered", 1, 204)
    assert delivery.duration_ms is not None


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({}, 5),
        ({"kinds": ["label.moved"]}, 2),
        ({"folder": "support"}, 3),
        ({"label": "production"}, 2),
        ({"folder": "support", "label": "production", "kinds": ["label.moved"]}, 1),
        ({"is_active": False}, 0),
    ],
)
def test_filters_choose_what_is_told(
    receiver: Receiver, hook: Hook, happen: Happen, filters: Any, wanted: int
):
    hook(**filters)
    happen("label.moved", "support/greeting", label="production")
    happen("label.removed", "sales/pitch", label="production")
    happen("label.moved", "support/email/bye", label="staging")
    happen("version.created", "support/greeting", version=2)
    happen("version.created", "supporters", version=2)
    sweep()
    assert len(receiver.calls) == wanted


def test_a_webhook_is_not_told_of_what_was_before_it(receiver: Receiver, hook: Hook, happen: Happen):
    happen()
    hook()
    assert sweep() == Swept(relayed=1)
    assert receiver.calls == []


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answer(500, b"Out of order"), "expected a status from 200 to 299, got 500"),
        (answer(302, Location="http://127.0.0.1/else"), "got 302; redirects are not followed"),
        (answer(404), "got 404"),
    ],
)
def test_a_receiver_that_refuses_is_asked_again(
    receiver: Receiver, hook: Hook, happen: Happen, reply: Any, error: str
):
    issued = hook()
    event = happen()
    receiver.reply = reply
    assert sweep() == Swept(relayed=1, failed=1)
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.PENDING, 1)
    assert error in delivery.error
    assert 8 <= (delivery.next_attempt_at - timezone.now()).total_seconds() + 1 <= 13.1
    assert sweep() == Swept()

    receiver.reply = answer(200)
    later(seconds=15)
    assert sweep() == Swept(delivered=1)
    assert [call.headers["X-AFN-Event-Id"] for call in receiver.calls] == [event.pk] * 2
    assert receiver.calls[0].body == receiver.calls[1].body
    assert Delivery.objects.get().error == ""
    assert Webhook.objects.get(pk=issued.webhook.pk).failing_since is None


def test_a_receiver_that_hangs_is_left_and_one_that_drips_has_answered(
    receiver: Receiver, hook: Hook, happen: Happen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sending, "TIMEOUT", 0.3)
    monkeypatch.setattr(sending, "DEADLINE", 0.6)
    hook()
    happen()
    receiver.reply = hang
    began = timezone.now()
    assert sweep().failed == 1
    assert (timezone.now() - began).total_seconds() < 3
    assert Delivery.objects.get().error == "no answer in time"

    receiver.reply = drip
    later(minutes=1)
    assert sweep().delivered == 1  # its status is what counts
    delivery = Delivery.objects.get()
    assert delivery.response_status == 200
    assert set(delivery.response_excerpt) == {"."}
    assert delivery.duration_ms is not None
    assert delivery.duration_ms < 3_000


def test_a_receiver_that_fails_holds_up_no_other(receiver: Receiver, hook: Hook, happen: Happen):
    hook("bad", url=receiver.url + "/bad")
    hook("good", url=receiver.url + "/good")
    receiver.reply = lambda handler: handler.send(500 if handler.path.endswith("bad") else 200, b"")
    for _ in range(3):
        happen()
    assert sweep() == Swept(relayed=3, delivered=3, failed=1)


def test_after_eight_attempts_it_is_given_up_and_the_webhook_paused(
    receiver: Receiver, hook: Hook, happen: Happen
):
    webhook = hook().webhook
    happen()
    receiver.reply = answer(503, b"", Retry_After="7200")
    for attempt in range(1, 9):
        sweep()
        assert Delivery.objects.get().attempts == attempt
        if attempt == 1:  # as long as was asked for, but for an hour at most
            wait = Delivery.objects.get().next_attempt_at - timezone.now()
            assert 3_500 < wait.total_seconds() <= 3_600
        later(days=1)
    assert Delivery.objects.get().status == DeliveryStatus.FAILED
    webhook.refresh_from_db()
    assert webhook.paused_at is not None
    assert webhook.paused_reason.endswith("The last problem: expected a status from 200 to 299, got 503")

    happen()  # it waits
    assert sweep() == Swept(relayed=1)
    assert len(receiver.calls) == 8
    receiver.reply = answer(200)
    saving.ping(webhook, actor=None)
    assert sweep() == Swept(delivered=1)
    webhook.refresh_from_db()
    assert (webhook.paused_at, webhook.paused_reason, webhook.failing_since) == (None, "", None)
    assert sweep() == Swept(delivered=1)
    assert [call.headers["X-AFN-Event"] for call in receiver.calls[-2:]] == ["ping", "label.moved"]


def test_one_that_has_failed_for_a_day_is_paused(receiver: Receiver, hook: Hook, happen: Happen):
    webhook = hook().webhook
    receiver.reply = answer(500)
    happen()
    sweep()
    Webhook.objects.update(failing_since=timezone.now() - timedelta(hours=25))
    happen()
    sweep()
    webhook.refresh_from_db()
    assert "No delivery has arrived since" in webhook.paused_reason


def test_gone_is_gone(receiver: Receiver, hook: Hook, happen: Happen):
    webhook = hook().webhook
    receiver.reply = answer(410)
    happen()
    sweep()
    webhook.refresh_from_db()
    assert Delivery.objects.get().status == DeliveryStatus.FAILED
    assert webhook.paused_reason == "The receiver says that it is gone (410)."


def test_attempts_spread_over_a_day_and_shake():
    waits = [retrying.delay(attempt, chance=0.5) for attempt in range(1, 8)]
    total = sum((wait for wait in waits if wait), timedelta())
    assert timedelta(hours=20) < total < timedelta(hours=24)
    assert waits == sorted(waits, key=lambda wait: wait or timedelta())
    assert retrying.delay(8) is None
    assert len({retrying.delay(3) for _ in range(20)}) > 1


def test_a_replay_is_another_delivery_of_the_same_event(receiver: Receiver, hook: Hook, happen: Happen):
    hook()
    event = happen()
    sweep()
    first = Delivery.objects.get()
    again = saving.replay(first)
    with pytest.raises(Refused):
        saving.replay(first)  # it waits already
    assert sweep() == Swept(delivered=1)
    assert (again.event_id, again.replay) == (event.pk, 1)
    one, two = receiver.calls
    assert one.headers["X-AFN-Event-Id"] == two.headers["X-AFN-Event-Id"]
    assert one.headers["X-AFN-Delivery"] != two.headers["X-AFN-Delivery"]
    assert one.body == two.body


def test_after_a_rotation_both_secrets_verify_until_the_overlap_ends(
    receiver: Receiver, hook: Hook, happen: Happen
):
    old = hook()
    new = saving.rotate_secret(old.webhook, timedelta(hours=1))
    is_from_afn = documented_check()

    def verify() -> list[bool]:
        happen()
        sweep()
        call = receiver.calls[-1]
        return [is_from_afn(one.secret, call.headers["X-AFN-Signature"], call.body) for one in (old, new)]

    assert verify() == [True, True]
    Webhook.objects.update(old_secret_until=timezone.now())
    assert verify() == [False, True]
    newest = saving.rotate_secret(new.webhook, timedelta(0))
    assert verify() == [False, False]
    call = receiver.calls[-1]
    assert is_from_afn(newest.secret, call.headers["X-AFN-Signature"], call.body)


def test_a_name_that_leads_inside_at_delivery_is_refused(
    receiver: Receiver, happen: Happen, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    settings.AFN_OUTGOING_ALLOWED = []
    saving.create_webhook({"name": "rebinds", "url": "https://hooks.example.org/"}, actor=None)
    happen()
    inside = [(2, 1, 6, "", ("127.0.0.1", receiver.server_address[1]))]
    monkeypatch.setattr(outgoing_network.socket, "getaddrinfo", lambda *_, **__: inside)
    assert sweep().failed == 1
    assert receiver.calls == []
    assert "not public" in Delivery.objects.get().error


def test_what_the_operator_no_longer_allows_is_not_called(
    receiver: Receiver, hook: Hook, happen: Happen, settings: Any
):
    hook()
    happen()
    settings.AFN_OUTGOING_ALLOWED = []
    assert sweep().failed == 1
    assert receiver.calls == []


def test_another_secret_key_is_told_in_the_log_and_the_old_one_may_fall_back(
    receiver: Receiver, hook: Hook, happen: Happen, settings: Any
):
    hook()
    happen()
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another" * 10
    assert sweep().failed == 1
    assert "SECRET_KEY has changed" in Delivery.objects.get().error
    settings.SECRET_KEY_FALLBACKS = [old]
    later(minutes=1)
    assert sweep().delivered == 1


def test_an_abandoned_claim_is_taken_over(receiver: Receiver, hook: Hook, happen: Happen):
    hook()
    happen()
    sweep()
    claimed = {"status": DeliveryStatus.SENDING, "claimed_at": timezone.now()}
    Delivery.objects.update(**claimed)
    assert sweep() == Swept()
    assert 50 < seconds_until_due() <= delivering.LEASE.total_seconds()
    later(seconds=61)
    assert sweep() == Swept(delivered=1)


def test_what_a_receiver_echoes_of_secrets_is_not_kept(receiver: Receiver, hook: Hook, happen: Happen):
    issued = hook(url=receiver.url + "/canary-path-51")
    happen()
    text = f"{issued.secret} {receiver.url}/canary-path-51 /hook/canary-path-51 \0 <b>"
    receiver.reply = answer(500, text.encode() * 50)
    sweep()
    excerpt = Delivery.objects.get().response_excerpt
    assert excerpt.startswith("[hidden] [hidden] /[hidden]")
    assert len(excerpt) == 500
    assert "\0" not in excerpt


def test_old_events_are_forgotten_but_not_what_waits(receiver: Receiver, hook: Hook, happen: Happen):
    hook()
    happen()
    sweep()
    happen()
    OutboxEvent.objects.update(happened_at=timezone.now() - timedelta(days=31))
    Webhook.objects.update(created_at=timezone.now() - timedelta(days=32))
    assert prune() == 1
    assert (OutboxEvent.objects.count(), Delivery.objects.count()) == (1, 0)


def test_a_deleted_webhook_is_told_nothing(receiver: Receiver, hook: Hook, happen: Happen):
    issued = hook()
    event = happen()
    key = Delivery.objects.create(webhook=issued.webhook, event=event, next_attempt_at=timezone.now()).pk
    issued.webhook.delete()
    assert delivering.deliver(key) is None
    assert sweep() == Swept(relayed=1)
    assert receiver.calls == []


def test_one_that_cannot_be_sent_holds_up_no_other(
    receiver: Receiver, hook: Hook, happen: Happen, monkeypatch: pytest.MonkeyPatch
):
    hook()
    bad, good = happen(), happen(name="support/other")
    body_of = sending.formats.body_of

    def broken(event: OutboxEvent, format: str) -> bytes:
        if event.pk == bad.pk:
            raise ValueError("canary-5e")
        return body_of(event, format)

    monkeypatch.setattr(sending.formats, "body_of", broken)
    for _ in range(3):
        sweep()
        later(hours=20)
    assert [call.headers["X-AFN-Event-Id"] for call in receiver.calls] == [good.pk]
    delivery = Delivery.objects.get(event=bad)
    assert (delivery.status, delivery.attempts) == ("pending", 3)
    assert "could not be sent" in delivery.error
    assert "canary-5e" not in delivery.error


@pytest.mark.parametrize(
    ("body", "headers"), [(b"thanks", {"Content_Encoding": "gzip"}), (b"x" * 2_000_000, {})]
)
def test_an_answer_counts_by_its_status_whatever_its_body(
    receiver: Receiver, hook: Hook, happen: Happen, body: bytes, headers: dict[str, str]
):
    hook()
    happen()
    receiver.reply = answer(200, body, **headers)
    assert sweep().delivered == 1
    assert Delivery.objects.get().response_status == 200


def test_parts_of_a_secret_path_are_not_kept(receiver: Receiver, hook: Hook, happen: Happen):
    hook(url=f"{receiver.url}/T00000000/canary%2D81xyz?key=canary-82xyz")
    happen()
    receiver.reply = answer(404, b'{"path": "hook\\/T00000000\\/canary-81xyz", "key": "canary-82xyz"}')
    sweep()
    excerpt = Delivery.objects.get().response_excerpt
    assert "path" in excerpt
    assert "canary" not in excerpt


def test_a_webhook_made_just_before_an_event_is_told_of_it(receiver: Receiver, hook: Hook, happen: Happen):
    """Both come between the two reads of who relays."""
    done: list[str] = []

    def between(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("SELECT") and ("webhooks" in sql or "outbox_events" in sql) and not done:
            done.append(sql)
            hook("late")
            happen()
        return result

    hook("first")
    with connection.execute_wrapper(between):
        relay()
    relay()
    assert Delivery.objects.filter(webhook__name="late").count() == 1


def test_one_that_kills_whoever_sends_it_is_given_up(receiver: Receiver, hook: Hook, happen: Happen):
    hook()
    happen()
    relay()
    dead = {"status": "sending", "claimed_at": timezone.now() - timedelta(minutes=5)}
    Delivery.objects.update(**dead, attempts=3)
    delivering.free_abandoned()
    assert Delivery.objects.get().status == "pending"
    Delivery.objects.update(**dead, attempts=retrying.MAX_ATTEMPTS)
    delivering.free_abandoned()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.error) == ("failed", "who sent it has died, each time")


def test_what_a_webhook_that_is_switched_off_was_to_be_told_is_forgotten_in_time(hook: Hook, happen: Happen):
    issued = hook()
    happen()
    relay()
    saving.change_webhook(issued.webhook, {"is_active": False})
    assert prune(timezone.now() + timedelta(days=31)) == 1

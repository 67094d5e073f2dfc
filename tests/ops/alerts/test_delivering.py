"""What real receivers get: once each, in their form, again after a failure, and nothing secret elsewhere."""

import json
import logging
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from ops.alerts import delivering, telling
from ops.alerts.emailing import NOT_SET
from ops.alerts.models import AlertChannel, AlertNotification, AlertRule
from ops.webhooks import retrying, sending
from ops.webhooks.models import DeliveryStatus
from tests.ops.webhooks.receiver import Receiver, answer, documented_check, hang

from .conftest import Channel, Rule, see
from .mailbox import Mailbox

EVIL = "<!channel> @everyone **busy** `x`"


def later(**waiting: float) -> None:
    for one in AlertNotification.objects.all():
        one.next_attempt_at -= timedelta(**waiting)
        one.claimed_at = one.claimed_at and one.claimed_at - timedelta(**waiting)
        one.save()


def only() -> AlertNotification:
    return AlertNotification.objects.get()


@pytest.fixture
def raised(rule: Rule, channel: Channel) -> None:
    """An alert, of which one channel is to be told."""
    channel()
    rule()
    see(90)


def test_json_is_sent_once_and_signed(rule: Rule, channel: Channel, receiver: Receiver) -> None:
    channel(secret="s" * 20)
    rule(description="See what runs.")
    see(90)
    assert delivering.send_due() == (1, 0)
    assert delivering.send_due() == (0, 0)
    (call,) = receiver.calls
    assert documented_check()("s" * 20, call.headers["X-AFN-Signature"], call.body)
    assert call.headers["X-AFN-Event"] == "alert.raised"
    assert call.headers["X-AFN-Event-Id"] == only().pk
    body = json.loads(call.body)
    assert (body["kind"], body["id"]) == ("alert.raised", only().pk)
    alert = body["alert"]
    assert (alert["rule"], alert["metric"], alert["value"], alert["severity"]) == (
        "busy", "cpu_percent", 90, "warning",
    )  # fmt: skip
    assert alert["description"] == "See what runs."
    assert alert["limit"] == "above 80 %"


def test_without_a_secret_nothing_is_signed(raised: None, receiver: Receiver) -> None:
    delivering.send_due()
    assert "X-AFN-Signature" not in receiver.calls[0].headers


def test_slack_gets_a_message_in_which_nobody_is_mentioned(
    rule: Rule, channel: Channel, receiver: Receiver
) -> None:
    channel(kind="slack")
    rule(EVIL, description="See https://example.org <@U1>")
    see(90)
    assert delivering.send_due() == (1, 0)
    body = json.loads(receiver.calls[0].body)
    assert body["text"] == "Alert: &lt;!channel&gt; @everyone **busy** `x`"
    assert "<" not in receiver.calls[0].body.decode()
    fields = [one["text"] for one in body["blocks"][1]["fields"]]
    assert "value: 90 %" in fields
    assert "limit: above 80 %" in fields
    assert {one["type"] for one in body["blocks"][1]["fields"]} == {"plain_text"}


def test_discord_gets_a_message_in_which_nobody_is_mentioned(
    rule: Rule, channel: Channel, receiver: Receiver
) -> None:
    channel(kind="discord")
    rule(EVIL)
    see(90)
    see(60, 30)
    assert delivering.send_due() == (2, 0)
    first, second = (json.loads(call.body) for call in receiver.calls)
    assert (first["content"], second["content"]) == ("Alert", "Over")
    assert first["allowed_mentions"] == {"parse": []}
    assert "\\@everyone" in first["embeds"][0]["title"]
    assert first["embeds"][0]["color"] != second["embeds"][0]["color"]


def test_an_e_mail_is_one_message_to_all_addresses(rule: Rule, channel: Channel, mailbox: Mailbox) -> None:
    channel("post", "email", addresses=["a@example.org", "b@example.org"])
    rule(description="See what runs.")
    see(90)
    assert delivering.send_due() == (1, 0)
    (message,) = mailbox.messages
    assert message["Subject"] == "[AFN production] Alert: busy (warning)"
    assert message["From"] == "AFN <afn@example.org>"
    assert mailbox.recipients == [["a@example.org", "b@example.org"]]
    assert message["Message-ID"] == f"<{only().pk}@example.org>"
    text = message.get_content()
    assert "value: 90 %" in text
    assert "what to do: See what runs." in text


def test_a_mail_server_that_refuses_is_tried_again(rule: Rule, channel: Channel, mailbox: Mailbox) -> None:
    channel("post", "email", addresses=["a@example.org"])
    rule()
    see(90)
    mailbox.answer = "451 canary of the server"
    assert delivering.send_due() == (0, 1)
    assert (only().status, only().error) == ("pending", "the mail server answered 451")
    mailbox.answer = "250 OK"
    later(seconds=20)
    assert delivering.send_due() == (1, 0)
    assert len(mailbox.messages) == 1


def test_without_a_mail_server_the_channel_says_so(rule: Rule, channel: Channel) -> None:
    made = channel("post", "email", addresses=["a@example.org"])
    telling.send_test(made, actor=None)
    assert delivering.send_due() == (0, 1)
    assert (only().status, only().error) == ("failed", NOT_SET)


def test_a_failure_is_tried_again_and_then_delivered_once(raised: None, receiver: Receiver) -> None:
    receiver.reply = answer(500, b"broken")
    assert delivering.send_due() == (0, 1)
    one = only()
    assert (one.status, one.attempts, one.response_status) == ("pending", 1, 500)
    assert delivering.send_due() == (0, 0)  # not before its time
    later(seconds=20)
    receiver.reply = answer(200)
    assert delivering.send_due() == (1, 0)
    assert delivering.send_due() == (0, 0)
    first, second = receiver.calls
    assert first.body == second.body
    assert first.headers["X-AFN-Event-Id"] == second.headers["X-AFN-Event-Id"]


def test_a_receiver_that_hangs_is_left_and_tried_again(
    raised: None, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TIMEOUT", 0.2)
    receiver.reply = hang
    assert delivering.send_due() == (0, 1)
    assert only().error == "no answer in time"
    receiver.reply = answer(200)
    later(seconds=20)
    assert delivering.send_due() == (1, 0)


def test_it_is_given_up_after_a_day_and_shown(raised: None, receiver: Receiver) -> None:
    receiver.reply = answer(500)
    for _ in range(retrying.MAX_ATTEMPTS):
        assert delivering.send_due() == (0, 1)
        later(hours=20)
    assert delivering.send_due() == (0, 0)
    assert (only().status, only().attempts) == ("failed", retrying.MAX_ATTEMPTS)
    assert len(receiver.calls) == retrying.MAX_ATTEMPTS


def test_the_end_waits_for_the_beginning(raised: None, receiver: Receiver) -> None:
    receiver.reply = answer(500)
    delivering.send_due()
    see(60, 30)
    assert delivering.send_due() == (0, 0)
    receiver.reply = answer(200)
    later(seconds=20)
    assert delivering.send_due() == (2, 0)
    kinds = [json.loads(call.body)["kind"] for call in receiver.calls]
    assert kinds == ["alert.raised", "alert.raised", "alert.cleared"]


def test_a_claim_of_somebody_dead_is_free_again(raised: None, receiver: Receiver) -> None:
    AlertNotification.objects.update(status=DeliveryStatus.SENDING, claimed_at=timezone.now(), attempts=1)
    assert delivering.send_due() == (0, 0)
    later(seconds=61)
    assert delivering.send_due() == (1, 0)
    assert only().attempts == 2


def test_a_test_is_sent_to_a_channel_that_is_off_and_only_once(channel: Channel, receiver: Receiver) -> None:
    made = channel(enabled=False)
    receiver.reply = answer(500)
    telling.send_test(made, actor=None)
    assert delivering.send_due() == (0, 1)
    later(hours=1)
    assert delivering.send_due() == (0, 0)
    assert only().status == "failed"


def test_a_channel_that_is_switched_off_gets_nothing_more(raised: None, receiver: Receiver) -> None:
    AlertChannel.objects.update(enabled=False)
    assert delivering.send_due() == (0, 0)
    assert receiver.calls == []


def test_addresses_and_secrets_are_kept_sealed_and_in_no_log(
    rule: Rule, channel: Channel, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    made = channel(secret="canary-secret-0123456789")
    assert "canary" not in made.sealed_url + made.sealed_secret + made.shown_url
    rule()
    see(90)
    receiver.reply = lambda handler: handler.send(500, handler.path.encode())  # it says what it was asked
    with caplog.at_level(logging.DEBUG):
        for _ in range(retrying.MAX_ATTEMPTS):
            delivering.send_due()
            later(hours=20)
    one = only()
    assert one.status == "failed"
    assert "canary" not in one.error + one.response_excerpt + json.dumps(one.facts)
    own = [record.getMessage() for record in caplog.records if record.name.startswith(("ops", "vectors"))]
    assert own  # that it was given up
    assert "canary" not in " ".join(own)


def test_another_secret_key_is_said_and_keeps_nobody_from_the_rest(
    raised: None, channel: Channel, receiver: Receiver, settings: Settings
) -> None:
    settings.SECRET_KEY = "another" * 10
    channel("new")
    AlertRule.objects.update(pending_since=None)
    assert delivering.send_due() == (0, 1)
    assert "SECRET_KEY has changed" in only().error

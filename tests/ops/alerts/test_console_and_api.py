"""Alerts in the console, by the API and by command."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from ops.alerts import delivering, saving
from ops.alerts.evaluating import evaluate
from ops.alerts.models import Alert, AlertChannel, AlertNotification, AlertRule, AlertSilence
from ops.audit.models import AuditEntry
from prompts.models import ApiKey, User
from tests.admin.conftest import text_of
from tests.api.conftest import Api, bearer
from tests.ops.webhooks.receiver import Receiver, answer

from .conftest import Channel, Rule, at, see

ADMIN = "/admin/ops"
RULE = {
    "name": "busy", "metric": "cpu_percent", "comparison": "above", "threshold": "80", "clear": "70",
    "for_seconds": "60", "severity": "critical", "enabled": "on", "description": "See what runs.",
}  # fmt: skip
CHANNEL = {"name": "team", "kind": "slack", "min_severity": "info", "enabled": "on", "remind_hours": "0"}


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.com", "x")


@pytest.fixture
def admin(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def api(user: User) -> Api:
    return Api(bearer(ApiKey.issue(user, "tests", ["read", "write"])[1]))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[Any]:
    call_command("alerts", *arguments, "--json")
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_rule_is_made_changed_and_recorded(rule: Rule, admin: Client) -> None:
    answer = admin.post(f"{ADMIN}/alertrule/add/", RULE)
    assert answer.status_code == 302, answer.context["errors"]
    made = AlertRule.objects.get()
    assert (made.name, made.threshold, made.clear, made.for_seconds) == ("busy", 80, 70, 60)
    evaluate(timezone.now(), {"cpu_percent": 90.0})
    page = f"{ADMIN}/alertrule/{made.pk}/change/"
    assert "90 %" in text_of(admin.get(page))
    answer = admin.post(page, RULE | {"threshold": "85", "metric": "connections"})
    assert answer.status_code == 302, answer.context["errors"]
    made.refresh_from_db()
    # It waits anew, its figure stays, and what it is about cannot be changed.
    assert (made.threshold, made.pending_since, made.value) == (85, None, 90)
    assert made.metric == "cpu_percent"
    entries = AuditEntry.objects.filter(object_id=made.pk).order_by("id")
    assert [one.action for one in entries] == ["alertrule.created", "alertrule.changed"]
    assert entries[1].changes == {"threshold": [80, 85]}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"clear": "80"}, "Expected less than the threshold, 80, got 80."),
        ({"comparison": "below", "clear": "70"}, "Expected more than the threshold, 80, got 70."),
        ({"metric": "secret_key"}, "Select a valid choice"),
    ],
)
def test_a_rule_that_cannot_be_says_why(rule: Rule, admin: Client, values: Any, text: str) -> None:
    answer = admin.post(f"{ADMIN}/alertrule/add/", RULE | values)
    assert answer.status_code == 200
    assert text in text_of(answer)
    assert not AlertRule.objects.exists()


def test_a_channel_never_shows_its_address(admin: Client, receiver: Receiver) -> None:
    secret = {"secret": "canary-secret-0123456789", "url": f"{receiver.url}/canary-path"}
    answered = admin.post(f"{ADMIN}/alertchannel/add/", CHANNEL | {"kind": "webhook"} | secret)
    assert answered.status_code == 302, answered.context["errors"]
    made = AlertChannel.objects.get()
    page = f"{ADMIN}/alertchannel/{made.pk}/change/"
    answered = admin.post(page, CHANNEL | {"kind": "webhook", "name": "renamed", "url": "", "secret": ""})
    assert answered.status_code == 302, answered.context["errors"]
    changed = AlertChannel.objects.get()
    assert changed.name == "renamed"
    assert (changed.sealed_url, changed.sealed_secret) == (made.sealed_url, made.sealed_secret)
    for where in (f"{ADMIN}/alertchannel/", page, "/admin/"):
        shown = admin.get(where).content.decode()
        assert "canary" not in shown
        assert made.sealed_url not in shown
    assert receiver.host in admin.get(page).content.decode()
    assert "canary" not in json.dumps(list(AuditEntry.objects.values_list("changes", flat=True)))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"url": "https://10.0.0.1/"}, "Expected a public address"),
        ({"url": ""}, "Expected a URL"),
        ({"kind": "webhook", "url": "https://example.org/", "secret": "short"}, "Expected 16 characters"),
        ({"kind": "email", "addresses": ""}, "Expected 1 to 20 addresses"),
        ({"kind": "email", "addresses": "a@example.org nobody"}, "Expected addresses such as"),
        ({"kind": "email", "addresses": "a@example.org\r\nBcc:b@example.org"}, "Expected addresses such as"),
    ],
)
def test_a_channel_that_cannot_be_says_why(admin: Client, values: Any, text: str) -> None:
    answered = admin.post(f"{ADMIN}/alertchannel/add/", CHANNEL | values)
    assert answered.status_code == 200
    assert text in text_of(answered)
    assert not AlertChannel.objects.exists()


def test_the_test_button_and_what_came_of_it(admin: Client, channel: Channel, receiver: Receiver) -> None:
    made = channel()
    page = f"{ADMIN}/alertchannel/"
    admin.post(page, {"action": "send_test", "_selected_action": [made.pk]})
    receiver.reply = answer(404)
    delivering.send_due()
    assert "given up" in text_of(admin.get(page))
    log = text_of(admin.get(f"{ADMIN}/alertnotification/"))
    assert "expected a status from 200 to 299, got 404" in log
    detail = text_of(admin.get(f"{ADMIN}/alertnotification/{AlertNotification.objects.get().pk}/change/"))
    assert "This is a test of the channel team." in detail
    assert "canary" not in detail + log


def test_alerts_are_looked_at_and_acknowledged(admin: Client, rule: Rule, channel: Channel) -> None:
    channel()
    rule("<b>busy</b>", description="<i>look</i>")
    see(90)
    alert = Alert.objects.get()
    admin.post(f"{ADMIN}/alert/", {"action": "acknowledge_these", "_selected_action": [alert.pk]})
    alert.refresh_from_db()
    assert alert.acknowledged_by == "root"
    for page in (f"{ADMIN}/alert/", f"{ADMIN}/alert/?state=open", f"{ADMIN}/alert/{alert.pk}/change/"):
        shown = admin.get(page).content.decode()
        assert "&lt;b&gt;busy" in shown
        assert "<b>busy" not in shown
    assert "alert__id__exact" in admin.get(f"{ADMIN}/alert/{alert.pk}/change/").content.decode()
    answered = admin.get(f"{ADMIN}/alertnotification/?alert__id__exact={alert.pk}")
    assert answered.status_code == 200
    assert "No results" not in text_of(admin.get(f"{ADMIN}/alert/?state=open"))


def test_who_may_only_look_changes_nothing(rule: Rule, channel: Channel) -> None:
    made = channel(secret="canary-secret-0123456789")
    rule()
    see(90)
    user = User.objects.create_user("ben", "ben@example.com", "x", is_staff=True)
    names = ("alert", "alertrule", "alertchannel", "alertsilence", "alertnotification")
    user.user_permissions.set(Permission.objects.filter(codename__in=[f"view_{name}" for name in names]))
    client = Client()
    client.force_login(user)
    alert = Alert.objects.get()
    client.post(f"{ADMIN}/alert/", {"action": "acknowledge_these", "_selected_action": [alert.pk]})
    client.post(f"{ADMIN}/alertchannel/", {"action": "send_test", "_selected_action": [made.pk]})
    assert Alert.objects.filter(acknowledged_at=None).count() == 1
    assert not AlertNotification.objects.filter(event="test").exists()
    for name in names:
        assert client.get(f"{ADMIN}/{name}/").status_code == 200
    shown = client.get(f"{ADMIN}/alertchannel/{made.pk}/change/")
    assert shown.status_code == 200
    assert "canary" not in shown.content.decode()
    assert client.get(f"{ADMIN}/alertrule/{AlertRule.objects.get().pk}/change/").status_code == 200


def test_a_silence_is_made_in_the_console(admin: Client) -> None:
    now = timezone.now()

    def form(hours: int) -> dict[str, str]:
        until = now + timedelta(hours=hours)
        return {
            "rule": "", "reason": "Moving house",
            "starts_at_0": f"{now:%Y-%m-%d}", "starts_at_1": f"{now:%H:%M:%S}",
            "until_0": f"{until:%Y-%m-%d}", "until_1": f"{until:%H:%M:%S}",
        }  # fmt: skip

    answered = admin.post(f"{ADMIN}/alertsilence/add/", form(24 * 40))
    assert "at most 30 days" in text_of(answered)
    answered = admin.post(f"{ADMIN}/alertsilence/add/", form(2))
    assert answered.status_code == 302, answered.context["errors"]
    assert AlertSilence.objects.get().created_by == "root"
    assert "all rules" in text_of(admin.get(f"{ADMIN}/alertsilence/"))
    assert AuditEntry.objects.filter(action="alertsilence.created").count() == 1


def test_the_api_gives_open_ones_and_those_that_are_over(api: Api, rule: Rule) -> None:
    rule("one")
    see(90)
    see(60, 30)
    rule("two", severity="critical")
    see(95, 60)
    found = api.get("/alerts", state="open").json()
    assert found["total"] == 2
    assert {one["rule"] for one in found["items"]} == {"one", "two"}
    (over,) = api.get("/alerts", state="over").json()["items"]
    assert over | {"id": ""} == {
        "id": "", "rule": "one", "metric": "cpu_percent", "severity": "warning", "is_open": False,
        "started_at": "2026-03-01T12:00:00Z", "cleared_at": "2026-03-01T12:00:30Z", "note": "",
        "value": 90, "worst": 90, "last": 60, "told_at": "2026-03-01T12:00:00Z", "acknowledged_at": None,
        "acknowledged_by": "",
    }  # fmt: skip
    assert [one["rule"] for one in api.get("/alerts", severity="critical").json()["items"]] == ["two"]
    page = api.get("/alerts", limit=1, offset=1).json()
    assert (len(page["items"]), page["total"]) == (1, 3)
    assert api.get("/alerts", state="closed").status_code == 422


def test_the_command_lists_rules_and_alerts(rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    rule()
    see(90)
    assert [one["rule"] for one in run(capsys, "list")] == ["busy"]
    call_command("alerts")
    assert "open  warning  busy  90 %" in capsys.readouterr().out
    see(60, 30)
    assert run(capsys, "list") == []
    assert [one["is_open"] for one in run(capsys, "list", "--all")] == [False]
    (found,) = run(capsys, "rules")
    assert (found["name"], found["value"], found["measured_at"]) == ("busy", 60, at(30).isoformat())
    call_command("alerts", "rules")
    assert "above 80 %" in capsys.readouterr().out


def test_the_command_silences(rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    rule()
    (found,) = run(capsys, "silence", "--rule", "busy", "--for", "2h", "--reason", "work")
    made = AlertSilence.objects.get()
    assert (found["rule"], found["id"]) == ("busy", made.pk)
    assert timedelta(hours=2) - timedelta(minutes=1) < made.until - timezone.now() <= timedelta(hours=2)
    assert made.created_by
    for wrong in (["--rule", "none", "--for", "2h"], ["--for", "2"], ["--for", "0m"], ["--for", "60d"]):
        with pytest.raises(CommandError, match=r"expected .*got"):
            call_command("alerts", "silence", "--reason", "work", *wrong)


def test_the_command_tries_a_channel(
    channel: Channel, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    channel(kind="slack")
    assert run(capsys, "test", "team") == [{"channel": "team", "status": "delivered", "error": ""}]
    assert "AFN says hello: team" in receiver.calls[0].body.decode()
    receiver.reply = answer(403)
    with pytest.raises(CommandError, match="got 403"):
        call_command("alerts", "test", "team")
    with pytest.raises(CommandError, match="There are: team"):
        call_command("alerts", "test", "no such")


def test_a_form_of_e_mail_says_where_there_is_no_server(admin: Client) -> None:
    assert "AFN_EMAIL_URL is not set" in text_of(admin.get(f"{ADMIN}/alertchannel/add/"))


def test_channels_and_rules_are_bounded(
    rule: Rule, channel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "MAX_RULES", 1)
    monkeypatch.setattr(saving, "MAX_CHANNELS", 1)
    rule("one")
    channel("one")
    with pytest.raises(saving.Refused):
        rule("two")
    with pytest.raises(saving.Refused):
        channel("two")

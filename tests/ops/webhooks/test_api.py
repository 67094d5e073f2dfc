"""Webhooks over REST: made, changed, rotated, tried, read, replayed, and nothing secret in any answer."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from ops.audit.models import AuditEntry
from ops.outbox.models import OutboxEvent
from ops.outbox.sweeping import sweep
from ops.webhooks import saving
from ops.webhooks.models import Delivery, Webhook
from prompts.models import ApiKey, User
from tests.api.conftest import Api, bearer, problems, statements

from .receiver import Receiver

CANARY = "canary-8f21"
Hook = Callable[..., saving.Issued]
Happen = Callable[..., OutboxEvent]


def body(receiver: Receiver, **values: Any) -> dict[str, Any]:
    return {"name": "deploy", "url": receiver.url, **values}


def test_a_webhook_is_made_changed_and_deleted(api: Api, receiver: Receiver):
    made = api.post("/webhooks", body(receiver, kinds=["label.moved"], folder="support", label="production"))
    assert made.status_code == 201
    key, secret = made.json()["id"], made.json()["secret"]
    assert secret.startswith("whsec_")
    assert made.json()["url"] == f"http://{receiver.host}/…"
    assert made.json()["created_by"] == "aoi"

    changed = api.patch(f"/webhooks/{key}", {"kinds": [], "name": "all"})
    assert changed.status_code == 200
    assert (changed.json()["kinds"], changed.json()["name"], changed.json()["folder"]) == (
        [],
        "all",
        "support",
    )
    assert [one["id"] for one in api.get("/webhooks").json()["items"]] == [key]
    assert api.get(f"/webhooks/{key}").json()["label"] == "production"
    assert api.delete(f"/webhooks/{key}").status_code == 204
    assert api.get(f"/webhooks/{key}").status_code == 404
    assert api.patch(f"/webhooks/{key}", {"name": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"format": "teams"}, "format"),
        ({"kinds": ["prompt.exploded"]}, "kinds"),
        ({"kinds": ["label.moved"] * 50}, "kinds"),
        ({"folder": "a//b"}, "folder"),
        ({"folder": "x" * 256}, "folder"),
        ({"label": "Not A Label"}, "label"),
        ({"label": "x" * 37}, "label"),
        ({"extra": 1}, "extra"),
        ({"url": ""}, "url"),
        ({"url": "https://example.org/" + "x" * 2048}, "url"),
    ],
)
def test_what_is_wrong_is_named(api: Api, receiver: Receiver, wrong: dict[str, Any], field: str):
    refused = api.post("/webhooks", body(receiver, **wrong))
    assert refused.status_code == 422
    assert list(problems(refused)) == [field]
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.8/hook",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://user:canary-8f21@example.org/",
        "https://example.org\\@127.0.0.1/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "//example.org/hook",
    ],
)
@pytest.mark.parametrize("is_change", [False, True])
def test_addresses_inside_are_refused_when_saved(api: Api, hook: Hook, url: str, is_change: bool):
    webhook = hook().webhook
    if is_change:
        refused = api.patch(f"/webhooks/{webhook.pk}", {"url": url})
    else:
        refused = api.post("/webhooks", {"name": "other", "url": url})
    assert refused.status_code == 422
    assert list(problems(refused)) == ["url"]
    assert CANARY not in refused.content.decode()
    assert Webhook.objects.get().sealed_url == webhook.sealed_url


def test_a_refused_address_comes_with_the_setting_that_allows_it(api: Api, db: None):
    refused = api.post("/webhooks", {"name": "ci", "url": "http://ci.example.org:8080/hook"})
    assert "AFN_OUTGOING_ALLOWED=ci.example.org:8080" in problems(refused)["url"]


def test_a_name_that_is_taken_and_one_webhook_too_many(
    api: Api, receiver: Receiver, hook: Hook, monkeypatch: Any
):
    hook()
    assert api.post("/webhooks", body(receiver)).status_code == 409
    monkeypatch.setattr(saving, "MAX_WEBHOOKS", 1)
    refused = api.post("/webhooks", body(receiver, name="other"))
    assert refused.status_code == 409
    assert "at most 1 webhooks" in problems(refused)["name"]


def test_a_secret_is_rotated(api: Api, hook: Hook):
    issued = hook()
    path = f"/webhooks/{issued.webhook.pk}/rotate"
    rotated = api.post(path, {"overlap_hours": 2})
    assert rotated.status_code == 200
    assert rotated.json()["secret"] != issued.secret
    assert rotated.json()["old_secret_until"] is not None
    assert api.post(path, {"overlap_hours": 0}).json()["old_secret_until"] is None
    for wrong in (-1, 169, "x", float("1e300")):
        assert list(problems(api.post(path, {"overlap_hours": wrong}))) == ["overlap_hours"]


def test_it_is_tried_read_and_replayed(api: Api, receiver: Receiver, hook: Hook):
    webhook = hook(is_active=False).webhook
    pinged = api.post(f"/webhooks/{webhook.pk}/ping")
    assert (pinged.status_code, pinged.json()["status"], pinged.json()["kind"]) == (202, "pending", "ping")
    assert receiver.calls == []  # not while the caller waits
    sweep()
    log = api.get(f"/webhooks/{webhook.pk}/deliveries").json()
    assert [(one["status"], one["attempts"], one["response_status"]) for one in log["items"]] == [
        ("delivered", 1, 204)
    ]
    key = log["items"][0]["id"]
    again = api.post(f"/deliveries/{key}/replay")
    assert (again.status_code, again.json()["replay"]) == (202, 1)
    assert api.post(f"/deliveries/{key}/replay").status_code == 409
    sweep()
    assert len(receiver.calls) == 2
    assert receiver.calls[0].headers["X-AFN-Event-Id"] == receiver.calls[1].headers["X-AFN-Event-Id"]
    assert api.post("/deliveries/nothing/replay").status_code == 404
    assert api.get("/webhooks/nothing/deliveries").status_code == 404


def test_a_pause_is_ended(api: Api, hook: Hook, happen: Happen):
    from django.utils import timezone

    webhook = hook().webhook
    Webhook.objects.update(paused_at=timezone.now(), paused_reason="It failed.", failing_since=timezone.now())
    assert api.get(f"/webhooks/{webhook.pk}").json()["paused_reason"] == "It failed."
    ended = api.patch(f"/webhooks/{webhook.pk}", {"paused": False}).json()
    assert (ended["paused_at"], ended["paused_reason"], ended["failing_since"]) == (None, "", None)
    assert api.patch(f"/webhooks/{webhook.pk}", {"paused": True}).status_code == 422


ROUTES = [
    ("get", "/webhooks", "view_webhook"),
    ("post", "/webhooks", "add_webhook"),
    ("get", "/webhooks/{id}", "view_webhook"),
    ("patch", "/webhooks/{id}", "change_webhook"),
    ("delete", "/webhooks/{id}", "delete_webhook"),
    ("post", "/webhooks/{id}/rotate", "change_webhook"),
    ("post", "/webhooks/{id}/ping", "change_webhook"),
    ("get", "/webhooks/{id}/deliveries", "view_delivery"),
    ("post", "/deliveries/{id}/replay", "change_webhook"),
    ("get", "/audit", "view_auditentry"),
]


@pytest.mark.parametrize(("method", "path", "permission"), ROUTES)
def test_every_route_takes_its_permission(user: User, hook: Hook, method: str, path: str, permission: str):
    path = path.format(id=hook().webhook.pk)
    all_but_it = Permission.objects.filter(content_type__app_label__in=("ops", "prompts"))
    user.user_permissions.set(all_but_it.exclude(codename=permission))
    api = Api(bearer(ApiKey.issue(user, "tests", ["read", "write"])[1]))

    def call(client: Api) -> int:
        arguments = [{}] if method in ("post", "patch") else []
        return getattr(client, method)(path, *arguments).status_code

    assert call(api) == 403
    assert call(Api()) == 401
    assert Webhook.objects.count() == 1
    user.user_permissions.set(Permission.objects.filter(codename=permission))
    assert call(api) not in (401, 403)


def test_lists_take_as_many_statements_however_long_they_are(api: Api, hook: Hook, happen: Happen):
    webhook = hook("one").webhook
    path = f"/webhooks/{webhook.pk}/deliveries"
    few = (statements(api, "/webhooks"), statements(api, path), statements(api, "/audit"))
    for name in "abcdef":
        hook(name)
        happen()
    sweep()
    assert (statements(api, "/webhooks"), statements(api, path), statements(api, "/audit")) == few
    assert few == (3, 4, 3)  # two of them: the permissions of the user
    page = api.get(path, limit=2).json()
    assert (len(page["items"]), page["has_more"]) == (2, True)
    assert api.get(path, limit=2, offset=4, status="delivered").json()["has_more"] is False
    assert api.get(path, limit=101).status_code == 422


def test_no_secret_is_in_a_log_an_answer_or_the_audit_log(
    api: Api, receiver: Receiver, happen: Happen, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    made = api.post("/webhooks", body(receiver, url=f"{receiver.url}/{CANARY}?token={CANARY}"))
    secret, key = made.json()["secret"], made.json()["id"]
    rotated = api.post(f"/webhooks/{key}/rotate", {}).json()["secret"]
    happen()
    sweep()
    assert len(receiver.calls) == 1
    answers = [
        api.get("/webhooks"),
        api.get(f"/webhooks/{key}"),
        api.patch(f"/webhooks/{key}", {"url": f"{receiver.url}/{CANARY}/2"}),
        api.patch(f"/webhooks/{key}", {"url": f"http://example.org/{CANARY}"}),
        api.get(f"/webhooks/{key}/deliveries"),
        api.get("/audit"),
    ]
    texts = [answer.content.decode() for answer in answers]
    texts += [caplog.text, str(list(Delivery.objects.values())), str(list(AuditEntry.objects.values()))]
    texts += [str(list(OutboxEvent.objects.values())), str(list(Webhook.objects.values()))]
    for hidden in (secret, rotated, CANARY):
        assert not [text for text in texts if hidden in text], hidden

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from ops.outbox.models import OutboxEvent
from ops.outbox.sweeping import sweep
from ops.webhooks import saving
from ops.webhooks.models import Delivery, Webhook
from prompts.models import User
from tests.admin.conftest import text_of

from .receiver import Receiver

PAGE = "/admin/ops/webhook/"
LOG = "/admin/ops/delivery/"
Hook = Callable[..., saving.Issued]


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    return client


def form(**values: object) -> dict[str, object]:
    return {"name": "deploy", "format": "generic", "folder": "", "label": "", "is_active": "on", **values}


def test_the_secret_is_shown_once(admin: Client, receiver: Receiver):
    answer = admin.post(PAGE + "add/", form(url=receiver.url + "/canary-path", kinds=["label.moved"]))
    assert answer.status_code == 200, answer.context["errors"]
    assert "no-store" in answer["Cache-Control"]
    secret = answer.context["secret"]
    assert secret in text_of(answer)
    webhook = Webhook.objects.get()
    assert (webhook.kinds, webhook.created_by.username) == (["label.moved"], "root")
    for page in (PAGE, reverse("admin:ops_webhook_change", args=[webhook.pk]), "/admin/"):
        shown = admin.get(page).content.decode()
        assert secret not in shown
        assert "canary-path" not in shown
        assert webhook.sealed_secret not in shown


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "http://example.org/", "https://localhost/"])
def test_an_address_inside_is_refused(admin: Client, url: str):
    answer = admin.post(PAGE + "add/", form(url=url))
    assert answer.status_code == 200
    assert "Expected a" in text_of(answer)
    assert not Webhook.objects.exists()


def test_it_is_changed_and_the_address_kept(admin: Client, hook: Hook):
    webhook = hook().webhook
    page = reverse("admin:ops_webhook_change", args=[webhook.pk])
    answer = admin.post(page, form(url="", name="renamed", label="production"))
    assert answer.status_code == 302, answer.context["errors"]
    changed = Webhook.objects.get()
    assert (changed.name, changed.label, changed.sealed_url) == ("renamed", "production", webhook.sealed_url)


def test_the_secret_is_rotated(admin: Client, hook: Hook):
    webhook = hook().webhook
    page = reverse("admin:ops_webhook_change", args=[webhook.pk])
    answer = admin.post(page, form(url="", ops_webhook_rotate_secret="1"))
    assert answer.status_code == 200
    assert answer.context["secret"].startswith("whsec_")
    changed = Webhook.objects.get()
    assert changed.sealed_secret != webhook.sealed_secret
    assert changed.sealed_old_secret == webhook.sealed_secret
    assert changed.old_secret_until is not None


def test_ping_and_replay(admin: Client, receiver: Receiver, hook: Hook):
    webhook = hook().webhook
    admin.post(PAGE, {"action": "ping", "_selected_action": [webhook.pk]})
    sweep()
    delivery = Delivery.objects.get()
    answer = admin.post(LOG, {"action": "replay_these", "_selected_action": [delivery.pk]}, follow=True)
    assert "1 delivery is on the way." in text_of(answer)
    sweep()
    assert len(receiver.calls) == 2
    shown = text_of(admin.get(reverse("admin:ops_delivery_change", args=[delivery.pk])))
    assert delivery.event_id in shown


def test_the_log_is_read_only_and_replaying_takes_a_permission(admin: Client, hook: Hook, happen: Callable):
    from tests.admin.conftest import Permission

    hook()
    happen()
    sweep()
    delivery = Delivery.objects.get()
    for path in (LOG + "add/", reverse("admin:ops_delivery_delete", args=[delivery.pk])):
        assert admin.post(path, {"post": "yes"}).status_code == 403
    ben = User.objects.create_user("ben", "ben@example.com", "x", is_staff=True)
    ben.user_permissions.set(Permission.objects.filter(codename__in=("view_delivery", "view_webhook")))
    client = Client()
    client.force_login(ben)
    assert client.get(LOG).status_code == 200
    client.post(LOG, {"action": "replay_these", "_selected_action": [delivery.pk]})
    assert client.get(reverse("admin:ops_webhook_change", args=[delivery.webhook_id])).status_code == 200
    assert Delivery.objects.count() == 1


def test_pages_pin_their_queries(admin: Client, hook: Hook, happen: Callable, django_assert_num_queries):
    for name in "abcdef":
        hook(name)
    happen()
    sweep()
    assert OutboxEvent.objects.count() == 1
    with django_assert_num_queries(4):  # session, user, count, page
        admin.get(PAGE)
    with django_assert_num_queries(5):  # and the webhooks of the filter
        admin.get(LOG)

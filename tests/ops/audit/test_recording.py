"""What ends up in the audit log: who, what, which fields, from where; and what never does."""

import contextvars
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import transaction
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings

from ops.audit import context
from ops.audit.models import AuditEntry, Source
from ops.webhooks import saving
from prompts import login_locks
from prompts.events import Event, tell
from prompts.models import ApiKey, LabelPolicy, LoginLock, Prompt, User
from prompts.saving import save_prompt
from tests.api.conftest import V1, Api, basic
from vectors import store

CANARY = "canary-4b7e"


def last(action: str) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).latest("id")


def test_a_change_by_the_api_says_who_what_and_from_where(api: Api, aoi: User):
    made = api.post("/prompts", {"name": "a/b", "title": "T", "content": f"Say {CANARY}."})
    assert made.status_code == 201, made.content
    changed = api.client.patch(
        f"{V1}/prompts/a/b", {"title": "Other", "content": f"Shout {CANARY}."},
        content_type="application/json",
        headers=api.headers | {"X-Request-ID": "from-the-proxy-1"}, REMOTE_ADDR="192.0.2.7",
    )  # fmt: skip
    assert changed.status_code == 200, changed.content
    entry = last("version.created")
    assert (entry.actor_id, entry.actor_name, entry.source) == (aoi.pk, "aoi", "api")
    assert (entry.object_type, entry.object_name) == ("prompts.prompt", "a/b")
    assert entry.object_id == Prompt.objects.get().pk
    assert (entry.address, entry.request_id) == ("192.0.2.7", "from-the-proxy-1")
    assert changed["X-Request-ID"] == "from-the-proxy-1"
    assert entry.changes["title"] == ["T", "Other"]
    assert [one["length"] for one in entry.changes["content"]] == [16, 18]
    assert last("prompt.created").request_id == made["X-Request-ID"]
    assert CANARY not in str(list(AuditEntry.objects.values()))


def test_a_wrong_request_id_is_not_taken(api: Api):
    headers = api.headers | {"X-Request-ID": "a\tb<script>" * 9}
    made = api.client.post(
        f"{V1}/prompts", {"name": "a", "title": "T", "content": "x"}, content_type="application/json",
        headers=headers,
    )  # fmt: skip
    assert len(made["X-Request-ID"]) == 32
    assert last("prompt.created").request_id == made["X-Request-ID"]


def test_writes_of_querysets_are_there_by_events(api: Api):
    api.post("/prompts", {"name": "a", "title": "T", "content": "x"})
    api.put("/prompts/a/labels/production", {"version": 1, "reason": "Better"})
    entry = last("label.moved")
    assert entry.changes == {"label": "production", "from": None, "to": 1, "reason": "Better"}
    api.delete("/prompts/a/labels/production")
    assert last("label.removed").changes["to"] is None
    api.delete("/prompts/a")
    assert last("prompt.deleted").actor_name == "aoi"


def test_langfuse_is_a_source(aoi: User):
    key, secret = ApiKey.issue(aoi, "sdk", ["read", "write"])
    body = {"name": "greeting", "prompt": "Hi", "labels": [], "tags": []}
    made = Client().post(
        "/api/public/v2/prompts", body, content_type="application/json", headers=basic(key.public_key, secret)
    )
    assert made.status_code == 201
    assert last("prompt.created").source == "langfuse"


def test_a_command_and_whoever_acts_without_a_request(aoi: User):
    save_prompt(Prompt(user=aoi, name="a", title="T", content="x"), author=None)
    entry = last("prompt.created")
    assert (entry.source, entry.address, entry.request_id) == ("command", "", "")


def test_mcp_is_a_source(aoi: User, rf: RequestFactory, settings: Settings):
    def write() -> None:
        LabelPolicy.objects.create(name=f"label-{LabelPolicy.objects.count()}")

    request = rf.post("/mcp", headers={"X-Forwarded-For": "192.0.2.1, 192.0.2.9"})
    request.user = aoi
    for proxies, address in ((0, "127.0.0.1"), (1, "192.0.2.9"), (2, "192.0.2.1"), (3, "127.0.0.1")):
        settings.AFN_PROXIES = proxies
        with context.of_request(request):
            contextvars.copy_context().run(write)  # as in a thread
        entry = last("labelpolicy.created")
        assert (entry.source, entry.actor_name, entry.address) == ("mcp", "aoi", address)
    with context.acting(Source.MCP, aoi):  # over standard input and output
        write()
    entry = last("labelpolicy.created")
    assert (entry.source, entry.actor_name, entry.address) == ("mcp", "aoi", "")
    assert context.origin().source == "command"


def test_keys_users_groups_and_policies(aoi: User):
    key, secret = ApiKey.issue(aoi, "shop", ["read"])
    assert last("apikey.created").object_name == "shop"
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    assert list(last("apikey.changed").changes) == ["revoked_at"]

    aoi.is_superuser = False
    aoi.set_password(CANARY)
    aoi.save()
    assert last("user.changed").changes == {"is_superuser": [True, False], "password": "changed"}
    count = AuditEntry.objects.count()
    aoi.last_login = timezone.now()
    aoi.save()
    assert AuditEntry.objects.count() == count

    editors = Group.objects.create(name="Painters")
    editors.permissions.add(Permission.objects.get(codename="change_prompt"))
    assert last("group.changed").changes == {"permissions": {"added": ["change_prompt"]}}
    aoi.groups.add(editors)
    assert last("user.changed").changes == {"groups": {"added": ["Painters"]}}
    aoi.groups.remove(editors)
    assert last("user.changed").changes == {"groups": {"removed": ["Painters"]}}
    editors.user_set.add(aoi)
    assert last("group.changed").changes == {"in groups of": {"added": ["aoi"]}}
    aoi.groups.clear()
    assert last("user.changed").changes == {"groups": {"removed": "all"}}

    LabelPolicy.objects.create(name="production")
    LabelPolicy.objects.filter(name="production").delete()
    assert last("labelpolicy.deleted").object_name == "production"
    notes = store.create_collection("notes", embedder="", dimensions=3)
    assert last("collection.created").object_name == "notes"
    notes.delete()
    assert last("collection.deleted").object_name == "notes"
    for hidden in (secret, key.secret_hash, CANARY, aoi.password):
        assert hidden not in str(list(AuditEntry.objects.values()))


def test_webhooks(aoi: User):
    issued = saving.create_webhook({"name": "ci", "url": f"https://example.org/{CANARY}"}, actor=aoi)
    made = last("webhook.created")
    assert made.changes["sealed_secret"] == "changed"
    assert made.changes["shown_url"] == [None, "https://example.org/…"]
    saving.change_webhook(issued.webhook, {"url": f"https://example.com/{CANARY}", "label": "production"})
    assert last("webhook.changed").changes == {
        "label": ["", "production"],
        "sealed_url": "changed",
        "shown_url": ["https://example.org/…", "https://example.com/…"],
    }
    saving.rotate_secret(issued.webhook, timedelta(hours=1))
    assert last("webhook.rotated").changes == {"overlap_hours": 1.0}
    saving.ping(issued.webhook, actor=aoi)
    issued.webhook.delete()
    assert last("webhook.deleted").object_name == "ci"
    text = str(list(AuditEntry.objects.values()))
    assert CANARY not in text
    assert issued.secret not in text
    assert issued.webhook.sealed_url not in text


def test_logins_and_failed_ones(aoi: User):
    client = Client()
    page = "/admin/login/"
    client.post(page, {"username": "aoi", "password": CANARY}, REMOTE_ADDR="192.0.2.8")
    failed = last("user.login_failed")
    assert (failed.object_name, failed.object_id, failed.actor_id) == ("aoi", aoi.pk, "")
    assert (failed.source, failed.address) == ("console", "192.0.2.8")
    client.post(page, {"username": CANARY, "password": "x"})
    client.post(page, {"username": f"{CANARY}\0", "password": "x"})
    assert last("user.login_failed").object_name == ""
    client.post(page, {"username": "aoi@example.com", "password": "correct horse"})
    assert last("user.logged_in").actor_name == "aoi"
    client.post("/admin/logout/")
    assert last("user.logged_out").actor_name == "aoi"
    assert CANARY not in str(list(AuditEntry.objects.values()))


def test_a_page_of_the_console_is_a_source(aoi: User):
    client = Client()
    client.force_login(aoi)
    client.post("/admin/auth/group/add/", {"name": "Painters"})
    assert (last("group.created").source, last("group.created").actor_name) == ("console", "aoi")


def test_what_is_rolled_back_was_not_done(aoi: User):
    count = AuditEntry.objects.count()
    with transaction.atomic():
        tell(Event("label.moved", "a" * 32, "x"), "default")
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == count


def test_long_values_are_there_by_hash(aoi: User):
    tell(Event("label.moved", "a" * 32, "x", data={"reason": "r" * 201, "api_key": CANARY}), "default")
    changes: dict[str, Any] = last("label.moved").changes
    assert changes["reason"]["length"] == 201
    assert changes["api_key"] == "changed"


def test_a_users_line_stays_when_the_user_goes(aoi: User):
    tell(Event("label.moved", "a" * 32, "x", actor_id=aoi.pk), "default")
    aoi.delete()
    assert last("label.moved").actor_name == "aoi"
    assert last("user.deleted").object_name == "aoi"


def test_fixtures_are_not_looked_at(aoi: User, tmp_path: Any):
    call_command("dumpdata", "auth.group", output=str(tmp_path / "x.json"), verbosity=0)
    Group.objects.create(name="Painters")
    call_command("dumpdata", "auth.group", output=str(tmp_path / "x.json"), verbosity=0)
    count = AuditEntry.objects.count()
    call_command("loaddata", str(tmp_path / "x.json"), verbosity=0)
    assert AuditEntry.objects.count() == count


def test_runs_items_of_datasets_and_unlocked_logins_are_in_it(api: Api, aoi: User, admin_client: Client):
    prompt = Prompt(user=aoi, name="a", title="A", content=f"Say {CANARY}.")
    save_prompt(prompt, author=aoi)
    assert api.post("/datasets", {"name": "cities"}).status_code == 201
    items = {"items": [{"key": "one", "variables": {"x": CANARY}, "expected": CANARY * 20}]}
    assert api.put("/datasets/cities/items", items).status_code == 200
    assert last("dataset.changed").changes == {"items": {"inserted": 1, "updated": 0}}
    run = {"prompt": "a", "dataset": "cities", "metrics": [{"type": "exact_match"}]}
    made = api.post("/runs", run)
    assert made.status_code == 201, made.content
    assert (last("evaluationrun.created").object_id, last("evaluationrun.created").actor_name) == (
        made.json()["id"], "aoi",
    )  # fmt: skip
    login_locks.note_failure("aoi", "192.0.2.1")
    login_locks.note_failure("aoi", "192.0.2.2")
    lock = LoginLock.objects.get(address="192.0.2.1")
    admin_client.post(f"/admin/prompts/loginlock/{lock.pk}/delete/", {"post": "yes"})
    assert (last("user.unlocked").object_name, last("user.unlocked").changes) == (
        "aoi", {"address": "192.0.2.1"},
    )  # fmt: skip
    call_command("unlock_login", "aoi")
    assert (last("user.unlocked").source, last("user.unlocked").changes) == ("command", {"address": "all"})
    assert CANARY not in str(list(AuditEntry.objects.values()))


def test_items_of_datasets_are_a_line_and_a_few_queries_however_many(
    api: Api, django_assert_max_num_queries: Any
):
    api.post("/datasets", {"name": "cities"})
    rows = [{"key": f"k{number}", "expected": CANARY} for number in range(300)]
    with django_assert_max_num_queries(30):
        assert api.put("/datasets/cities/items", {"items": rows[:-1]}).status_code == 200
        assert api.put("/datasets/cities/items", {"items": rows}).json() == {"inserted": 1, "updated": 299}
    entry = last("dataset.changed")
    assert (entry.object_name, entry.actor_name) == ("cities", "aoi")
    assert entry.changes == {"items": {"inserted": 1, "updated": 299}}
    assert api.delete("/datasets/cities/items/k7").status_code == 204
    assert last("dataset.changed").changes == {"items": {"deleted": 1}, "key": "k7"}
    assert api.delete("/datasets/cities/items/k7").status_code == 404
    assert AuditEntry.objects.filter(action="dataset.changed").count() == 3
    count = AuditEntry.objects.count()
    with django_assert_max_num_queries(30):
        assert api.delete("/datasets/cities").status_code == 204
    assert AuditEntry.objects.count() == count + 1
    assert last("dataset.deleted").object_name == "cities"
    assert CANARY not in str(list(AuditEntry.objects.values()))

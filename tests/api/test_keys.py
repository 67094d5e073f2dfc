"""API keys over the API: made, listed, rotated and revoked, within what whoever asks may do."""

import io
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from afn_project.key_cache import key_cache
from prompts.models import ApiKey, User
from prompts.roles import ADMINS, READERS
from tests.api.conftest import Api, basic, bearer, problems

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader() -> User:
    user = User.objects.create_user("ren", "ren@example.com")
    user.groups.add(Group.objects.get(name=READERS))
    return user


def client_of(user: User, *scopes: str, **values: Any) -> Api:
    return Api(bearer(ApiKey.issue(user, "asks", list(scopes or ("read", "write")), **values)[1]))


def reads(secret: str) -> bool:
    key_cache.clear()
    return Api(bearer(secret)).get("/prompts").status_code == 200


def test_a_key_is_made_with_just_the_scopes_asked_for_and_its_secret_is_shown_once(reader: User) -> None:
    api = client_of(reader)
    answer = api.post("/keys", {"name": "website", "scopes": ["read"]})
    made = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    assert (made["scopes"], made["user"], made["state"], made["expires_at"]) == (
        ["read"],
        "ren",
        "works",
        None,
    )
    assert reads(made["secret_key"])
    assert Api(bearer(made["secret_key"])).post("/keys", {"name": "x", "scopes": ["read"]}).status_code == 403
    listed = api.get("/keys")
    assert "secret" not in listed.content.decode()
    assert {one["name"] for one in listed.json()["items"]} == {"website", "asks"}
    assert next(one for one in listed.json()["items"] if one["name"] == "website")["last_used_at"]
    assert made["secret_key"] not in str(list(ApiKey.objects.values_list()))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "", "scopes": ["read"]}, "name"),
        ({"name": "a\u202eb", "scopes": ["read"]}, "name"),
        ({"name": "x" * 256, "scopes": ["read"]}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["admin"]}, "scopes[0]"),
        ({"name": "x", "scopes": ["read"], "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "scopes": ["read"], "expires_at": "2101-01-01T00:00:00"}, "expires_at"),
        ({"name": "x", "scopes": ["read"], "is_superuser": True}, "is_superuser"),
    ],
)
def test_a_wrong_value_is_named(reader: User, body: dict[str, Any], field: str) -> None:
    answer = client_of(reader).post("/keys", body)
    assert (answer.status_code, list(problems(answer))) == (422, [field])
    assert reader.api_keys.count() == 1


def test_a_key_makes_none_that_has_more_than_itself(reader: User) -> None:
    end = timezone.now() + timedelta(hours=1)
    api = client_of(reader, "write", expires_at=end)
    body = {"name": "x", "scopes": ["write"], "expires_at": end.isoformat()}
    assert problems(api.post("/keys", {**body, "scopes": ["read", "write"]})) == {
        "scopes": "Expected only scopes of the key that asks: write, got read"
    }
    for later in (None, (end + timedelta(minutes=1)).isoformat()):
        answer = api.post("/keys", {**body, "expires_at": later})
        assert (answer.status_code, list(problems(answer))) == (403, ["expires_at"])
    assert api.post("/keys", body).status_code == 201


def test_a_key_rotates_none_that_has_more_than_itself(reader: User) -> None:
    other, _ = ApiKey.issue(reader, "both", ["read", "write"])
    answer = client_of(reader, "write").post(f"/keys/{other.pk}/rotate", {})
    assert (answer.status_code, list(problems(answer))) == (403, ["scopes"])
    ending = client_of(reader, expires_at=timezone.now() + timedelta(hours=1))
    answer = ending.post(f"/keys/{other.pk}/rotate", {})
    assert (answer.status_code, list(problems(answer))) == (403, ["expires_at"])


def test_a_session_gives_all_scopes(reader: User) -> None:
    client = Client()
    client.force_login(reader)
    body = {"name": "x", "scopes": ["read", "write"]}
    assert client.post("/api/v1/keys", body, content_type="application/json").status_code == 201


def test_rotating_gives_a_new_secret_at_once_and_the_old_one_works_until_the_overlap_ends(
    reader: User,
) -> None:
    key, old = ApiKey.issue(reader, "website", ["read"])
    answer = client_of(reader).post(f"/keys/{key.pk}/rotate", {"overlap_hours": 168})
    made = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert (made["id"], made["public_key"]) == (key.pk, key.public_key)
    until = datetime.fromisoformat(made["previous_until"]) - timezone.now()
    assert timedelta(days=6.9) < until <= timedelta(days=7)
    assert reads(old)
    assert reads(made["secret_key"])
    for secret in (old, made["secret_key"]):
        assert Api(basic(key.public_key, secret)).get("/prompts").status_code == 200
    ApiKey.objects.filter(pk=key.pk).update(previous_until=timezone.now())
    assert not reads(old)
    key_cache.clear()
    assert Api(basic(key.public_key, old)).get("/prompts").status_code == 401
    assert reads(made["secret_key"])


def test_without_an_overlap_the_old_secret_ends_at_once_also_where_it_is_remembered(reader: User) -> None:
    key, old = ApiKey.issue(reader, "website", ["read"])
    assert Api(bearer(old)).get("/prompts").status_code == 200
    made = client_of(reader).post(f"/keys/{key.pk}/rotate", {"overlap_hours": 0}).json()
    assert Api(bearer(old)).get("/prompts").status_code == 401
    assert made["previous_until"] is None
    assert reads(made["secret_key"])


def test_of_three_secrets_the_first_ends(reader: User) -> None:
    key, first = ApiKey.issue(reader, "website", ["read"])
    api = client_of(reader)
    second, third = (api.post(f"/keys/{key.pk}/rotate", {}).json()["secret_key"] for _ in range(2))
    assert [reads(secret) for secret in (first, second, third)] == [False, True, True]


@pytest.mark.parametrize("hours", [-1, 169, 1.5, "1", None])
def test_an_overlap_is_none_to_seven_days(reader: User, hours: Any) -> None:
    key, old = ApiKey.issue(reader, "website", ["read"])
    answer = client_of(reader).post(f"/keys/{key.pk}/rotate", {"overlap_hours": hours})
    assert (answer.status_code, list(problems(answer))) == (422, ["overlap_hours"])
    assert reads(old)


def test_a_revoked_key_works_with_neither_secret_and_is_not_rotated(reader: User) -> None:
    key, old = ApiKey.issue(reader, "website", ["read"])
    api = client_of(reader)
    new = api.post(f"/keys/{key.pk}/rotate", {}).json()["secret_key"]
    assert api.delete(f"/keys/{key.pk}").status_code == 204
    assert api.delete(f"/keys/{key.pk}").status_code == 204
    assert not reads(old)
    assert not reads(new)
    assert api.post(f"/keys/{key.pk}/rotate", {}).status_code == 409
    states = {one["name"]: one["state"] for one in api.get("/keys").json()["items"]}
    assert states == {"website": "revoked", "asks": "works"}


def test_keys_of_others_are_not_there_without_the_permission(reader: User, user: User) -> None:
    theirs, secret = ApiKey.issue(user, "theirs", ["read"])
    api = client_of(reader)
    assert api.delete(f"/keys/{theirs.pk}").status_code == 404
    assert api.post(f"/keys/{theirs.pk}/rotate", {}).status_code == 404
    for login in (user.username, user.email, "nobody"):  # whether there is such a user is not told
        assert api.get("/keys", user=login).json() == api.get("/keys", user="nobody").json()
        assert api.get("/keys", user=login).status_code == 403
        body = {"name": "x", "scopes": ["read"], "user": login}
        assert api.post("/keys", body).status_code == 403
    assert reads(secret)


def test_an_admin_manages_keys_of_who_may_no_more_than_himself(reader: User, user: User) -> None:
    admin, boss = (
        User.objects.create_user("ai", "ai@example.com"),
        User.objects.create_superuser("bo", "b@x.org"),
    )
    admin.groups.add(Group.objects.get(name=ADMINS))
    api = client_of(admin)
    made = api.post("/keys", {"name": "x", "scopes": ["read"], "user": "REN@example.com"}).json()
    assert (made["user"], reads(made["secret_key"])) == ("ren", True)
    assert [one["name"] for one in api.get("/keys", user="ren").json()["items"]] == ["x"]
    assert api.post(f"/keys/{made['id']}/rotate", {}).status_code == 200
    assert api.delete(f"/keys/{made['id']}").status_code == 204
    theirs, _ = ApiKey.issue(boss, "boss", ["read"])
    answers = [
        api.post("/keys", {"name": "x", "scopes": ["read"], "user": "bo"}),
        api.post(f"/keys/{theirs.pk}/rotate", {}),
        api.delete(f"/keys/{theirs.pk}"),
    ]
    assert [(one.status_code, list(problems(one))) for one in answers] == [(403, ["user"])] * 3
    assert api.get("/keys", user="nobody").status_code == 404


def test_a_command_rotates() -> None:
    user = User.objects.create_superuser("aoi", "aoi@example.com")
    key, old = ApiKey.issue(user, "website", ["read"])
    out = io.StringIO()
    call_command("rotate_api_key", key.public_key, "--overlap-hours", "1", "--json", stdout=out)
    made = json.loads(out.getvalue())
    assert (made["public_key"], reads(old), reads(made["secret_key"])) == (key.public_key, True, True)
    call_command("rotate_api_key", key.public_key, "--overlap-hours", "0", stdout=out)
    assert "The one before works no more." in out.getvalue()
    assert not reads(made["secret_key"])


def test_a_command_revokes() -> None:
    key, secret = ApiKey.issue(User.objects.create_superuser("aoi", "aoi@example.com"), "website", ["read"])
    for _ in range(2):  # again is no error, and leaves when it was
        out = io.StringIO()
        call_command("revoke_api_key", key.public_key, "--json", stdout=out)
        key.refresh_from_db()
        assert not reads(secret)
        assert json.loads(out.getvalue()) == {
            "public_key": key.public_key,
            "revoked_at": key.revoked_at.isoformat(timespec="seconds"),
        }
    with pytest.raises(CommandError, match="expected the public part of a key, got 'pk-afn-none'"):
        call_command("revoke_api_key", "pk-afn-none")


@pytest.mark.parametrize(("hours", "public"), [("169", ""), ("-1", ""), ("1", "pk-afn-none"), ("9" * 12, "")])
def test_the_command_refuses(hours: str, public: str) -> None:
    key, _ = ApiKey.issue(User.objects.create_superuser("aoi", "aoi@example.com"), "website", ["read"])
    with pytest.raises(CommandError, match=r"expected|too large|normalized"):
        call_command("rotate_api_key", public or key.public_key, "--overlap-hours", hours)

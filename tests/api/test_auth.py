from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from prompts.models import ApiKey, Prompt, User
from tests.api.conftest import Api, basic, bearer

NEW = {"name": "greeting", "title": "Greeting", "content": "Hello {{name}}"}


@pytest.fixture
def session(user: User) -> Api:
    """A logged-in browser whose requests Django checks for forgery."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return Api(client=client)


def csrf(session: Api) -> dict[str, str]:
    """What a page of the site sends along."""
    token = "a" * 32
    session.client.cookies["csrftoken"] = token
    return {"X-CSRFToken": token}


def test_a_bearer_key_reads_and_writes(api: Api, user: User) -> None:
    assert api.get("/prompts").status_code == 200
    assert api.post("/prompts", NEW).status_code == 201
    assert Prompt.objects.get().user == user


def test_a_pair_of_public_and_secret_key_works_as_basic_auth(key: tuple[ApiKey, str]) -> None:
    api = Api(basic(key[0].public_key, key[1]))
    assert api.get("/prompts").status_code == 200
    assert api.post("/prompts", NEW).status_code == 201


def test_using_a_key_notes_when(api: Api, key: tuple[ApiKey, str]) -> None:
    api.get("/prompts")
    key[0].refresh_from_db()
    assert key[0].last_used_at is not None


def test_without_credentials_nothing_is_read_or_written(anonymous: Api) -> None:
    for response in (anonymous.get("/prompts"), anonymous.post("/prompts", NEW)):
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer")
        assert "Authorization" in response.json()["detail"]


def test_credentials_are_asked_for_before_the_body_is_looked_at(anonymous: Api) -> None:
    assert anonymous.post("/prompts", b"{").status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Bearer wrong",
        "Bearer",
        "Bearer ",
        "bearer sk-afn-\u00e9",
        "Basic " + "cGs6d3Jvbmc=",  # pk:wrong
        "Basic AHg6eQ==",  # a NUL in the public key
        "Basic ////",
        "Basic bm9jb2xvbg==",
        "Basic",
        "Digest x",
        "nonsense",
        "",
    ],
)
@pytest.mark.parametrize("public", [False, True])
def test_wrong_credentials_are_refused_even_where_reading_is_public(
    db: None, settings: Settings, header: str, public: bool
) -> None:
    settings.AFN_PUBLIC_READ = public
    response = Api({"Authorization": header}).get("/prompts")
    assert response.status_code == 401
    assert "wrong" not in response.content.decode()


def test_a_secret_does_not_open_another_keys_pair(user: User, key: tuple[ApiKey, str]) -> None:
    other, _ = ApiKey.issue(user, "other", ["read"])
    assert Api(basic(other.public_key, key[1])).get("/prompts").status_code == 401


def test_wrong_credentials_are_not_rescued_by_a_session(session: Api) -> None:
    session.headers = bearer("wrong")
    assert session.get("/prompts").status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"revoked_at": timezone.now()},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
    ],
    ids=["revoked", "expired"],
)
def test_a_key_past_its_use_is_refused(api: Api, key: tuple[ApiKey, str], change: dict[str, object]) -> None:
    ApiKey.objects.filter(pk=key[0].pk).update(**change)
    assert api.get("/prompts").status_code == 401


def test_a_key_of_an_inactive_user_is_refused(api: Api, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert api.get("/prompts").status_code == 401


def test_a_reading_key_may_not_write(user: User) -> None:
    api = Api(bearer(ApiKey.issue(user, "reader", ["read"])[1]))
    assert api.get("/prompts").status_code == 200
    response = api.post("/prompts", NEW)
    assert response.status_code == 403
    assert "write" in response.json()["detail"]
    assert not Prompt.objects.exists()


def test_a_key_may_write_only_what_its_user_may(user: User) -> None:
    api = Api(bearer(ApiKey.issue(user, "writer", ["write"])[1]))
    answer = api.post("/prompts", NEW)
    assert (answer.status_code, Prompt.objects.exists()) == (403, False)
    assert "prompts.add_prompt" in answer.json()["detail"]


def test_a_writing_key_may_not_read_without_the_scope(user: User, api: Api) -> None:
    api = Api(bearer(ApiKey.issue(user, "writer", ["write"])[1]))
    assert api.get("/prompts").status_code == 403
    assert api.post("/prompts", NEW).status_code == 201


def test_searching_by_post_is_reading(user: User, api: Api) -> None:
    api.post("/vectors/collections", {"name": "notes"})
    reader = Api(bearer(ApiKey.issue(user, "reader", ["read"])[1]))
    assert reader.post("/vectors/collections/notes/search", {"query": "x"}).status_code == 200


def test_public_reading_needs_nothing_and_writing_still_does(anonymous: Api, settings: Settings) -> None:
    settings.AFN_PUBLIC_READ = True
    assert anonymous.get("/prompts").status_code == 200
    assert anonymous.post("/prompts", NEW).status_code == 401
    assert anonymous.post("/vectors/collections/none/search", {"query": "x"}).status_code == 404


def test_a_session_reads(session: Api) -> None:
    assert session.get("/prompts").status_code == 200


def test_a_session_writes_with_permission_and_csrf_token(session: Api, user: User) -> None:
    user.user_permissions.add(Permission.objects.get(codename="add_prompt"))
    assert session.post("/prompts", NEW, **csrf(session)).status_code == 201
    assert Prompt.objects.get().user == user


def test_a_session_without_csrf_token_may_not_write(session: Api, user: User) -> None:
    user.user_permissions.add(Permission.objects.get(codename="add_prompt"))
    response = session.post("/prompts", NEW)
    assert response.status_code == 403
    assert "CSRF" in response.json()["detail"]


def test_a_session_without_permission_may_not_write(session: Api) -> None:
    response = session.post("/prompts", NEW, **csrf(session))
    assert response.status_code == 403
    assert "prompts.add_prompt" in response.json()["detail"]


def test_each_change_needs_its_own_permission(session: Api, user: User) -> None:
    prompt = Prompt.objects.create(user=user, **NEW)
    user.user_permissions.add(Permission.objects.get(codename="add_prompt"))
    headers = csrf(session)
    assert session.post(f"/prompts/{prompt.pk}/archive", **headers).status_code == 403
    assert session.post(f"/prompts/{prompt.pk}/evaluations", {"score": 1}, **headers).status_code == 403
    assert session.post("/vectors/collections", {"name": "notes"}, **headers).status_code == 403


def test_an_operation_that_declares_nothing_is_closed_to_all_but_superusers() -> None:
    from django.test import RequestFactory

    from vectors.permissions import READING, needed_permission

    assert needed_permission(RequestFactory().post("/")) not in ("", READING)
    assert needed_permission(RequestFactory().get("/")) == READING

"""Whoever asks too often is told to wait: by key, by user, by address, and for wrong keys."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from afn_project.checks import check_proxies
from afn_project.key_cache import key_cache
from prompts.limiting import limiter
from prompts.models import ApiKey, Prompt, User
from prompts.serving.responses import admitted
from tests.api.conftest import Api, basic, bearer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Time stands still, in the middle of a window."""
    monkeypatch.setattr(limiter, "_clock", lambda: 6_030.0)
    for one in (limiter, key_cache, admitted):
        one.clear()
    yield
    for one in (limiter, key_cache, admitted):
        one.clear()


def refused(response: HttpResponse) -> bool:
    if response.status_code != 429:
        return False
    assert response["Retry-After"] == "31"
    assert "31 s" in str(response.json())
    return True


def another_key(user: User) -> Api:
    return Api(bearer(ApiKey.issue(user, "another", ["read", "write"])[1]))


def test_each_key_has_a_limit_of_its_own_in_whatever_way_it_is_sent(
    api: Api, key: tuple[ApiKey, str], user: User, settings: Any
) -> None:
    settings.AFN_RATE_LIMIT = "3/min"
    pair = Api(basic(key[0].public_key, key[1]))
    answers = [api.get("/prompts"), pair.get("/labels"), api.get("/nowhere"), api.post("/prompts", {})]
    assert [one.status_code for one in answers] == [200, 200, 404, 422]  # no operation, no key looked at
    assert refused(api.get("/prompts"))
    assert refused(api.post("/prompts", {"name": "a", "title": "a", "content": "a"}))
    assert refused(Client().get("/api/public/v2/prompts", headers=pair.headers))
    assert not Prompt.objects.exists()
    assert another_key(user).get("/prompts").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_what_is_answered_from_memory_counts_too(user: User, key: tuple[ApiKey, str], settings: Any) -> None:
    settings.AFN_RATE_LIMIT = "4/min"
    prompt = Prompt(user=user, name="greeting", title="Greeting", content="Hello")
    prompt.save(index=False)
    api = Api(bearer(key[1]))
    answers = [api.get("/prompts/greeting") for _ in range(6)]
    assert [one.status_code for one in answers] == [200] * 4 + [429] * 2
    assert answers[2]["X-AFN-Cache"] == "memory"
    assert all(refused(one) for one in answers[4:])
    settings.AFN_RATE_LIMIT = None
    assert api.get("/prompts/greeting").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_anybody_is_counted_by_address_where_reading_is_public(user: User, settings: Any) -> None:
    settings.AFN_PUBLIC_READ, settings.AFN_ANONYMOUS_RATE_LIMIT = True, "2/min"
    prompt = Prompt(user=user, name="greeting", title="Greeting", content="Hello")
    prompt.save(index=False)

    def get(address: str) -> HttpResponse:
        return Client(REMOTE_ADDR=address).get("/api/v1/prompts/greeting")

    assert [get("192.0.2.1").status_code for _ in range(3)] == [200, 200, 429]
    assert get("192.0.2.2").status_code == 200
    assert Api(bearer(ApiKey.issue(user, "x", ["read"])[1])).get("/prompts").status_code == 200


def test_a_session_is_counted_by_user(user: User, settings: Any) -> None:
    settings.AFN_RATE_LIMIT = "2/min"
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(user)
    answers = [client.get("/api/v1/prompts") for client in (*clients, *clients)]
    assert [one.status_code for one in answers] == [200, 200, 429, 429]


def test_after_too_many_wrong_keys_an_address_is_refused_unheard(
    api: Api, user: User, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.AFN_WRONG_KEY_LIMIT = "3/min"
    assert api.get("/prompts").status_code == 200

    def wrong(number: int, path: str = "/api/v1/prompts", headers: Any = None) -> HttpResponse:
        return Client(REMOTE_ADDR="127.0.0.1").get(path, headers=headers or bearer(f"sk-afn-{number}"))

    ways = [None, basic("pk-afn-1", "sk-afn-1"), {"Authorization": "nonsense"}, basic("pk", "\0")]
    answers = [wrong(number, headers=way) for number, way in enumerate(ways)]
    assert [one.status_code for one in answers] == [401] * 4
    with django_assert_num_queries(0):
        assert refused(wrong(5))
        assert refused(wrong(5, "/api/public/v2/prompts", basic("pk-afn-1", "sk-afn-1")))
        assert refused(wrong(5, headers={"Authorization": "nonsense"}))
    assert api.get("/prompts").status_code == 200  # a key that was right a moment ago goes on to work
    assert refused(another_key(user).get("/prompts"))  # one that nobody has looked up is not
    elsewhere = Client(REMOTE_ADDR="192.0.2.9").get("/api/v1/prompts", headers=bearer("sk-afn-6"))
    assert elsewhere.status_code == 401


def test_without_limits_nothing_is_counted(api: Api, settings: Any) -> None:
    settings.AFN_RATE_LIMIT = settings.AFN_ANONYMOUS_RATE_LIMIT = settings.AFN_WRONG_KEY_LIMIT = None
    assert {api.get("/prompts").status_code for _ in range(50)} == {200}
    assert {Api(bearer("sk-afn-wrong")).get("/prompts").status_code for _ in range(50)} == {401}
    assert not limiter._counts._counts


def test_a_proxy_that_is_not_counted_is_warned_of(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.AFN_PROXIES = True, 0
    assert [one.id for one in check_proxies()] == ["afn.W005"]
    settings.AFN_PROXIES = 1
    assert check_proxies() == []

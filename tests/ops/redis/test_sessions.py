"""Sessions with copies in Redis: read from there, never trusted beyond the database, and alive without it."""

import re
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.sync import async_to_sync
from django.contrib.sessions.models import Session
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings
from redis import Redis

from afn_project.sessions import SECONDS, SessionStore
from prompts.serving import shared
from tests.processes import wait_for
from tests.servers import Server, redis_server
from tests.serving.conftest import Place, together  # noqa: F401 - a fixture

pytestmark = [pytest.mark.redis, pytest.mark.django_db]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def redis(server: Server, settings: Settings) -> Iterator[Redis]:
    server.start()
    options = {"SOCKET_TIMEOUT": 0.5, "SERIALIZER": "django_redis.serializers.json.JSONSerializer"}
    settings.CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": server.url,
            "OPTIONS": options,
        }
    }
    shared.forget()
    with Redis.from_url(server.url) as client:
        client.flushall()
        yield client
    shared.forget()


def made(**values: Any) -> str:
    store = SessionStore()
    store.update(values)
    store.save()
    assert store.session_key
    return store.session_key


def test_a_session_is_read_without_a_query(
    redis: Redis, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key = made(user="aoi", moments=[1, None, "ü"])
    with django_assert_num_queries(0):
        assert dict(SessionStore(key).items()) == {"user": "aoi", "moments": [1, None, "ü"]}
    redis.flushall()
    with django_assert_num_queries(1):
        assert SessionStore(key)["user"] == "aoi"
    with django_assert_num_queries(0):  # and it has a copy again
        assert SessionStore(key)["user"] == "aoi"


def test_what_is_saved_is_what_the_next_one_reads(redis: Redis) -> None:
    key = made(count=1)
    store = SessionStore(key)
    store["count"] = 2
    store.save()
    assert SessionStore(key)["count"] == 2
    redis.flushall()
    assert SessionStore(key)["count"] == 2


def test_a_session_that_has_ended_is_gone_at_once(redis: Redis) -> None:
    key = made(user="aoi")
    SessionStore(key).flush()
    assert SessionStore(key).load() == {}
    assert not SessionStore().exists(key)
    key = made(user="aoi")
    store = SessionStore(key)
    store.cycle_key()
    assert SessionStore(key).load() == {}
    assert SessionStore(store.session_key)["user"] == "aoi"
    assert redis.dbsize() == 1


def test_a_copy_lives_for_a_minute_and_never_longer_than_its_session(redis: Redis) -> None:
    key = made(user="aoi")
    [name] = redis.keys("*")
    assert 0 < redis.ttl(name) <= SECONDS
    redis.flushall()
    Session.objects.filter(pk=key).update(expire_date=timezone.now() + timedelta(seconds=10))
    SessionStore(key).load()
    assert redis.ttl(name) <= 10
    redis.flushall()
    Session.objects.filter(pk=key).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert SessionStore(key).load() == {}
    assert redis.dbsize() == 0


def test_names_in_redis_give_no_cookie_away(redis: Redis) -> None:
    key = made(user="aoi")
    [name] = redis.keys("*")
    assert key not in name.decode()


def test_a_copy_counts_for_its_own_session_alone(redis: Redis) -> None:
    """Somebody who can write to Redis gives their own session what an admin's has."""
    made(user="admin")
    [admin] = redis.keys("*")
    key = made(user="guest")
    [own] = set(redis.keys("*")) - {admin}
    for forged in (redis.get(admin), b"canary", b"\xff\xfe", b'{"user": "admin"}', b""):
        redis.set(own, forged or b"")
        assert SessionStore(key)["user"] == "guest"


def test_without_redis_the_database_has_them(
    redis: Redis, server: Server, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key = made(user="aoi")
    server.kill()
    assert SessionStore(key)["user"] == "aoi"
    assert shared.circuit.is_open
    store = SessionStore(key)
    store["user"] = "ada"
    store.save()
    assert SessionStore(key)["user"] == "ada"
    SessionStore(key).flush()
    assert SessionStore(key).load() == {}


def test_a_session_that_ends_while_redis_is_down_is_not_revived_by_its_copy(
    redis: Redis, server: Server
) -> None:
    ended, changed = made(user="aoi"), made(user="aoi")
    redis.save()
    server.kill()
    SessionStore(ended).flush()
    store = SessionStore(changed)
    store["user"] = "ada"
    store.save()
    server.start()  # with what was saved
    assert wait_for(lambda: redis.dbsize() == 0, SECONDS / 3)
    assert SessionStore(ended).load() == {}
    assert SessionStore(changed)["user"] == "ada"


async def _use_asynchronously() -> list[Any]:
    store = SessionStore()
    await store.aset("user", "aoi")
    await store.asave()
    key = store.session_key
    read = await SessionStore(key).aget("user")
    await SessionStore(key).aflush()
    return [read, await SessionStore(key).aload()]


@pytest.mark.django_db(transaction=True)
def test_asynchronous_code_does_not_go_past_the_copies(redis: Redis) -> None:
    assert async_to_sync(_use_asynchronously)() == ["aoi", {}]
    assert redis.dbsize() == 0


@pytest.mark.parametrize("sessions", ["database", "cached_db"])
def test_who_is_logged_in_goes_on_when_redis_is_killed(together: Place, sessions: str) -> None:  # noqa: F811
    site = together.add_site(AFN_SESSIONS=sessions)
    assert together.redis is not None
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def page(path: str, form: dict[str, str] | None = None) -> str:
        data = urlencode(form).encode() if form else None
        request = urllib.request.Request(site.url + path, data, {"Referer": site.url + path})
        with browser.open(request, timeout=20) as answer:
            assert answer.status == 200
            return str(answer.read().decode())

    login = page("/admin/login/")
    [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', login))
    form = {"csrfmiddlewaretoken": token, "username": "ada", "password": "canary-password"}
    page("/admin/login/", form)
    with Redis.from_url(together.redis.url) as client:
        assert bool(client.keys("afn:session:*")) == (sessions == "cached_db")
    path = "/admin/prompts/prompt/"
    assert 'name="password"' not in page(path)
    together.redis.kill()
    for _ in range(10):  # what that adds to a page is measured by benchmark_faults
        assert 'name="password"' not in page(path)  # still in

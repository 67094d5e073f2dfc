"""Health over real parts: a database file that threads share, and a Redis that can be killed."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django.fixtures import Settings

from ops.health import database as health
from prompts.indexing import get_collection
from tests.servers import Server, redis_server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def redis(tmp_path: Path, settings: Settings) -> Iterator[Server]:
    with redis_server(tmp_path) as server:
        settings.REDIS_URL = server.url
        settings.CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": server.url}}
        yield server


def test_all_is_well_and_redis_is_disabled_where_none_is_configured(client: Client) -> None:
    before = time.time()
    response = client.get("/health/database")
    assert response.status_code == 200
    body = response.json()
    assert before <= body.pop("timestamp") <= time.time()
    assert body == {"turso": True, "redis": "disabled", "vector": True}
    assert "no-store" in response["Cache-Control"]


def test_it_reads_the_collection_of_prompts_where_there_is_one(client: Client, settings: Settings) -> None:
    settings.AFN_EMBEDDERS = {"fake": "tests.vectors.fakes.FakeEmbedder"}
    settings.AFN_EMBEDDER = "fake"
    collection = get_collection()
    assert client.get("/health/database").json()["vector"] is True
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE vec_{collection.pk}_vectors")
    response = client.get("/health/database")
    assert (response.status_code, response.json()["vector"], response.json()["turso"]) == (503, False, True)


@pytest.mark.redis
def test_redis_is_well_until_it_is_killed(client: Client, redis: Server) -> None:
    assert client.get("/health/database").json()["redis"] is True
    redis.kill()
    started = time.monotonic()
    response = client.get("/health/database")
    assert response.status_code == 503
    assert (response.json()["redis"], response.json()["turso"]) == (False, True)
    assert time.monotonic() - started < 2


@pytest.mark.redis
def test_a_redis_that_does_not_answer_is_not_waited_for(client: Client, redis: Server) -> None:
    import signal

    redis.process.send_signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        response = client.get("/health/database")
        assert (response.status_code, response.json()["redis"]) == (503, False)
        assert time.monotonic() - started < 2
    finally:
        redis.process.send_signal(signal.SIGCONT)


def test_a_failure_is_logged_and_not_told(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> bool:
        raise OperationalError("token=secret")

    monkeypatch.setattr(health, "can_read_database", fail)
    response = client.get("/health/database")
    assert (response.status_code, response.json()["turso"]) == (503, False)
    assert "secret" not in response.content.decode()
    assert "Health check turso failed" in caplog.text


def test_a_wrong_distance_is_no_health(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "HALF", "vector32('[0, 1]')")
    assert client.get("/health/database").json()["vector"] is False


def test_a_check_that_hangs_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    release = Event()
    monkeypatch.setattr(health, "DEADLINE", 0.2)
    monkeypatch.setattr(health, "can_read_database", lambda: release.wait(30))
    response = client.get("/health/database")
    release.set()
    assert (response.status_code, response.json()["turso"]) == (503, False)


def test_liveness_touches_no_database(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_health_is_read_only(client: Client) -> None:
    assert client.post("/health/database").status_code == 405
    assert client.head("/health/live").status_code == 200

"""Telling of events: after the commit, without contents, and without waiting for Redis."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import caches
from django.db import transaction
from pytest_django.fixtures import Settings
from redis import Redis

from ops.realtime import publish, publishing, stream
from ops.realtime.publishing import MAX_WAITING, RESET, Sender, history
from prompts.models import Prompt, User
from prompts.saving import save_prompt
from prompts.serving import shared
from tests.processes import wait_for
from tests.servers import Server, redis_server


@pytest.fixture
def redis(tmp_path: Path, settings: Settings) -> Iterator[Server]:
    with redis_server(tmp_path) as server:
        settings.REDIS_URL = server.url
        yield server


def kinds(server: Server) -> list[tuple[str, str]]:
    with Redis.from_url(server.url, decode_responses=True) as client:
        return [(one.kind, one.body) for one in stream.read(client) if one.kind]


@pytest.mark.django_db(transaction=True)
def test_what_is_committed_is_told_and_nothing_else(fake_embedder: None) -> None:
    ada = User.objects.create_user("ada", "ada@example.org")
    start = history.end()[1]

    def roll_back() -> None:
        with transaction.atomic():
            save_prompt(Prompt(user=ada, name="undone", title="Undone", content="canary"), author=ada)
            raise ValueError("of no use")

    with pytest.raises(ValueError, match="of no use"):
        roll_back()
    prompt = Prompt(user=ada, name="kept", title="Kept", content="canary")
    save_prompt(prompt, author=ada)
    prompt.content = "canary, again"
    save_prompt(prompt, author=ada)
    found = [one for one in history.read(start, 99) or [] if one.kind]
    assert [one.kind for one in found] == ["prompt.created", "version.created"]
    assert [json.loads(one.body)["data"]["prompt"]["name"] for one in found] == ["kept", "kept"]
    assert "canary" not in "".join(one.body for one in found)
    assert json.loads(found[1].body)["data"]["changed"] == ["content"]


@pytest.mark.django_db(transaction=True)
def test_what_is_no_kind_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match=r"kind: expected one of prompt.* got 'nonsense'"):
        publish("nonsense", {})


@pytest.mark.redis
def test_events_arrive_once_and_in_order(redis: Server) -> None:
    sender = Sender()
    for number in range(250):
        sender.put("prompt.created", str(number))
    assert sender.flush(10)
    assert [body for _, body in kinds(redis)] == [str(number) for number in range(250)]


@pytest.mark.redis
def test_a_script_that_is_sent_twice_adds_once(redis: Server) -> None:
    with stream.connect() as client:
        stream.add(client, "me", 0, [("prompt.created", "0"), ("prompt.created", "1")])
        stream.add(client, "me", 0, [("prompt.created", "0"), ("prompt.created", "1")])
        stream.add(client, "me", 1, [("prompt.created", "1"), ("prompt.created", "2")])
        stream.add(client, "another", 0, [("prompt.created", "3")])
    assert [body for _, body in kinds(redis)] == ["0", "1", "2", "3"]


@pytest.mark.redis
def test_who_writes_does_not_wait_while_redis_hangs_and_nothing_is_lost(redis: Server) -> None:
    sender = Sender()
    sender.put("prompt.created", "first")
    assert sender.flush(10)
    with redis.paused():
        started = time.monotonic()
        for number in range(200):
            sender.put("prompt.created", str(number))
        assert time.monotonic() - started < 0.2
        assert wait_for(lambda: sender._is_failing)
    assert wait_for(lambda: sender.flush(0.1))
    assert [body for _, body in kinds(redis)] == ["first", *map(str, range(200))]


@pytest.mark.redis
def test_what_is_too_much_is_given_up_and_told(redis: Server) -> None:
    sender = Sender()
    redis.kill()
    for number in range(MAX_WAITING + 10):
        sender.put("prompt.created", str(number))
    assert not sender.flush(0.1)
    redis.start()
    assert wait_for(lambda: sender.flush(0.1))
    assert kinds(redis) == [
        (RESET, "{}"),
        *(("prompt.created", str(MAX_WAITING + number)) for number in range(10)),
    ]


def test_without_redis_nothing_is_sent() -> None:
    assert not hasattr(caches["default"], "client")
    assert not shared.is_configured()
    assert publishing.sender._thread is None

"""Counting how often somebody asks: in this process, and in a Redis that several share."""

import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import RequestFactory
from redis import Redis

from prompts.limiting import Counts, Limiter, address_of
from prompts.rates import Rate, read_rate
from prompts.serving import shared
from tests.servers import redis_server

RATE = Rate(3, 60)


class Clock:
    now = 6_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("1000/min", Rate(1000, 60)),
        ("20/s", Rate(20, 1)),
        ("5/hour", Rate(5, 3600)),
        ("7/day", Rate(7, 86_400)),
        ("", None),
        (None, None),
    ],
)
def test_a_rate_is_a_number_in_a_time(text: str | None, rate: Rate | None) -> None:
    assert read_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["1000", "0/min", "-1/min", "1/week", "1.5/s", "1/min ", "1 000/min", "9999999999/s"]
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="such as 1000/min"):
        read_rate(text)


def test_what_is_too_much_waits_for_the_next_window(clock: Clock) -> None:
    limiter = Limiter(clock)
    clock.now += 20
    assert [limiter.add("calls", "a", RATE) for _ in range(5)] == [0, 0, 0, 41, 41]
    assert limiter.wait("calls", "a", RATE) == 41
    assert limiter.wait("wrong", "a", RATE) == limiter.add("calls", "b", RATE) == 0
    clock.now += 41
    assert limiter.wait("calls", "a", RATE) == limiter.add("calls", "a", RATE) == 0


def test_threads_lose_no_count() -> None:
    counts = Counts()
    threads = [threading.Thread(target=lambda: [counts.add("a") for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts.get("a") == 4_000


def test_a_flood_of_names_takes_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prompts.limiting._MAX_NAMES", 10)
    counts = Counts()
    for number in range(100):
        counts.add(str(number))
    assert len(counts._counts) == 10


@pytest.mark.redis
def test_processes_count_together_in_redis_under_hashes_that_do_not_stay(
    tmp_path: Path, settings: Any, clock: Clock
) -> None:
    with redis_server(tmp_path) as server:
        before = settings.CACHES
        settings.CACHES = {
            "default": {
                "BACKEND": "django_redis.cache.RedisCache",
                "LOCATION": server.url,
                "KEY_PREFIX": "afn",
            }
        }
        shared.forget()
        try:
            one, other = Limiter(clock), Limiter(clock)
            added = [limiter.add("calls", "192.0.2.7", RATE) for limiter in (one, other, one, other)]
            assert added == [0, 0, 0, 61]
            assert (one.wait("calls", "192.0.2.7", RATE), other.wait("calls", "192.0.2.7", RATE)) == (0, 61)
            with Redis.from_url(server.url, decode_responses=True) as client:
                (name,) = client.keys("*")
                assert name.startswith("afn:rate:calls:")
                assert "192" not in name.removeprefix("afn:rate:calls:60:100:")[:3]
                assert 0 < client.ttl(name) <= 120
            server.stop()
            assert [one.add("calls", "192.0.2.7", RATE) for _ in range(4)] == [0, 0, 0, 61]  # by itself now
        finally:
            caches["default"].close()
            settings.CACHES = before
            shared.forget()


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "", "192.0.2.1"),
        (0, "198.51.100.9", "192.0.2.1"),  # nobody is to be believed
        (1, "198.51.100.9", "198.51.100.9"),
        (1, "10.0.0.1, 198.51.100.9", "198.51.100.9"),  # the first was made up
        (2, "10.0.0.1, 198.51.100.9, 203.0.113.4", "198.51.100.9"),
        (2, "203.0.113.4", "192.0.2.1"),
        (1, "<script>", "unknown"),
        (1, "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        (1, "::ffff:198.51.100.9", "198.51.100.9"),
    ],
)
def test_behind_proxies_the_address_is_what_the_first_of_them_saw(
    settings: Any, proxies: int, header: str, address: str
) -> None:
    settings.AFN_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=header)
    assert address_of(request) == address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.0.2.7:51034", "192.0.2.7"),
        ("[2001:db8::7]:51034", "2001:db8::/64"),
        ("[2001:db8::7]", "2001:db8::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("a:b", "unknown"),
        ("[", "unknown"),
    ],
)
def test_an_address_is_read_as_proxies_write_it(written: str, address: str) -> None:
    assert address_of(RequestFactory().get("/", REMOTE_ADDR=written)) == address

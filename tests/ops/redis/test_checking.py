"""`check_redis`: what it finds in figures, at real servers, and at none."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings
from redis import Redis

from ops.redis import checking
from ops.redis.checking import check, check_all
from ops.redis.figures import judge
from ops.redis.findings import Report
from tests.servers import Server, redis_server

from .conftest import Secured, secured_redis

BOTH = ("cache", "queue")
WELL = {
    "redis_version": "7.4.1",
    "used_memory": 1_000_000,
    "maxmemory": 400_000_000,
    "maxmemory_policy": "volatile-lru",
    "evicted_keys": 0,
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "rdb_last_bgsave_status": "ok",
    "connected_clients": 10,
    "maxclients": 1000,
}


def levels(report: Report) -> dict[str, str]:
    return {finding.name: finding.level for finding in report.findings}


def judged(uses: tuple[str, ...] = BOTH, **figures: Any) -> dict[str, str]:
    report = Report("redis://h", uses)
    judge(WELL | figures, report)
    assert all(bool(finding.remedy) == (finding.level != "ok") for finding in report.findings)
    return {name: level for name, level in levels(report).items() if level != "ok"}


@pytest.mark.parametrize(
    ("uses", "figures", "found"),
    [
        (BOTH, {}, {}),
        (BOTH, {"redis_version": "8.0.0"}, {}),
        (BOTH, {"redis_version": "10.1.0"}, {}),
        (BOTH, {"redis_version": "6.2.14"}, {"version": "failure"}),
        (BOTH, {"maxmemory_policy": "allkeys-lru"}, {"eviction policy": "warning"}),
        (("queue",), {"maxmemory_policy": "allkeys-random"}, {"eviction policy": "warning"}),
        (("queue",), {"maxmemory_policy": "noeviction"}, {}),
        (BOTH, {"maxmemory_policy": "volatile-ttl"}, {}),
        (("cache",), {"maxmemory_policy": "allkeys-lru"}, {}),
        (("cache",), {"maxmemory_policy": "noeviction"}, {"eviction policy": "warning"}),
        (BOTH, {"maxmemory": 0}, {"memory": "warning"}),
        (BOTH, {"used_memory": 399_000_000}, {"memory": "warning"}),
        (BOTH, {"evicted_keys": 3}, {"evictions": "warning"}),
        (("cache",), {"evicted_keys": 3}, {}),
        (BOTH, {"aof_enabled": 0}, {"persistence": "warning"}),
        (("cache",), {"aof_enabled": 0}, {}),
        (BOTH, {"rdb_last_bgsave_status": "err"}, {"persistence": "failure"}),
        (BOTH, {"aof_last_write_status": "err"}, {"persistence": "failure"}),
        (BOTH, {"connected_clients": 900}, {"clients": "warning"}),
    ],
)
def test_figures_are_judged_by_what_the_server_is_for(
    uses: tuple[str, ...], figures: dict[str, Any], found: dict[str, str]
) -> None:
    assert judged(uses, **figures) == found


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis_server(tmp_path_factory.mktemp("plain"), "--maxmemory-policy", "allkeys-lru") as server:
        yield server


@pytest.mark.redis
def test_all_is_well_with_what_init_redis_config_writes(tmp_path: Path) -> None:
    with secured_redis(tmp_path, tls=True) as redis:
        report = check(redis.url("app"), BOTH, operations=50)
        assert set(levels(report).values()) == {"ok"}, report
        assert set(levels(report)) >= {"connection", "user", "transport", "version", "clock", "speed"}
        assert "824 more days" in str(report.findings)
        assert 0 < report.figures["p99_ms"] < 1_000
        assert redis.passwords["app"] not in str(report)
        with redis.client("observer") as observer:
            assert observer.dbsize() == 0
            assert observer.acl_log() == []


@pytest.mark.redis
def test_a_server_without_users_and_bounds_is_warned_of(plain: Server) -> None:
    report = check(plain.url, BOTH, operations=10)
    warned = {name for name, level in levels(report).items() if level == "warning"}
    assert warned == {"user", "memory", "eviction policy", "persistence"}
    assert report.is_well
    with Redis.from_url(plain.url) as client:
        assert client.dbsize() == 0


@pytest.mark.redis
def test_what_fails_says_what_to_do(secured: Secured, tmp_path: Path) -> None:
    address = secured.written.url
    for url, words in (
        (address.replace("app@", "app:canary-wrong@"), "refuses the user or the password"),
        (address, "refuses the user or the password"),
        (address.replace("redis://", "rediss://"), "does not answer (TimeoutError)"),
        (secured.url("app") + "?socket_timeout=canary", "its address cannot be used"),
    ):
        report = check(url, BOTH)
        assert not report.is_well
        assert words in report.findings[0].text
        assert report.findings[0].remedy
        assert "canary" not in str(report)
    refused = check(secured.url("monitor"), BOTH, operations=1)
    assert levels(refused)["speed"] == "failure"


@pytest.mark.redis
def test_a_server_that_takes_no_writes_fails(plain: Server) -> None:
    with Redis.from_url(plain.url) as client:
        client.config_set("maxmemory", "1mb")
        client.config_set("maxmemory-policy", "noeviction")
        try:
            report = check(plain.url, BOTH, operations=1)
        finally:
            client.config_set("maxmemory", "0")
            client.config_set("maxmemory-policy", "allkeys-lru")
    assert levels(report)["speed"] == "failure"


@pytest.mark.redis
def test_the_command_shows_each_finding_and_ends_with_1_where_one_fails(
    plain: Server, settings: Settings
) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = plain.url
    output = StringIO()
    call_command("check_redis", "--operations", "10", stdout=output)
    assert "✓ connection" in output.getvalue()
    assert "! eviction policy  allkeys-lru can delete tasks" in output.getvalue()
    assert "→ Give the queue a Redis of its own" in output.getvalue()
    settings.REDIS_URL = settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    output = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_redis", "--json", stdout=output)
    assert ended.value.code == 1
    [server] = json.loads(output.getvalue())["servers"]
    assert server["findings"][0]["level"] == "failure"
    assert server["findings"][0]["remedy"]


def test_without_redis_there_is_nothing_to_check(settings: Settings) -> None:
    settings.REDIS_URL = ""
    assert check_all() == []
    with pytest.raises(CommandError, match="expected REDIS_URL"):
        call_command("check_redis")


def test_a_queue_apart_is_judged_as_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []
    monkeypatch.setattr(checking, "check", lambda url, uses, operations: asked.append((url, uses)))
    settings.REDIS_URL, settings.CELERY_BROKER_URL = "redis://a/0", "redis://b/0"
    check_all()
    settings.CELERY_BROKER_URL = "redis://a:6379/1"
    check_all()
    assert asked == [
        ("redis://a/0", ("cache",)),
        ("redis://b/0", ("queue",)),
        ("redis://a/0", BOTH),
        ("redis://a:6379/1", BOTH),
    ]

"""A place where all is well: nothing is found wrong, and nothing is changed by looking."""

import hashlib
import time
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings
from redis import Redis

from ops.doctor import areas
from ops.doctor.examining import Case
from ops.doctor.findings import Status
from ops.doctor.running import examine
from tests.servers import redis_server

CACHE = {
    "BACKEND": "django_redis.cache.RedisCache",
    "OPTIONS": {"SERIALIZER": "django_redis.serializers.json.JSONSerializer"},
}


def state(folder: Path) -> dict[str, str]:
    """Every file below a folder, by its name and rights."""
    return {
        f"{path.relative_to(folder)} {path.stat().st_mode:o}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.redis
def test_nothing_is_wrong_and_nothing_is_changed(
    sound: Path, case: Case, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = ("--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru")
    with (
        redis_server(tmp_path_factory.mktemp("redis"), *options) as server,
        Redis.from_url(server.url) as client,
    ):
        settings.REDIS_URL = settings.CELERY_BROKER_URL = server.url
        settings.CACHES = {"default": CACHE | {"LOCATION": server.url}}
        client.set("afn:health:worker", repr(time.time() + 60))
        client.rpush("celery", "a task")
        keys = {key: client.dump(key) for key in client.scan_iter()}
        before = state(sound.parent)
        told: list[str] = []
        case.deep = False
        report = examine(case, told=told.append)
        assert {key: client.dump(key) for key in client.scan_iter()} == keys
    assert state(sound.parent) == before
    assert [one for one in report.findings if one.status == Status.PROBLEM] == []
    warned = {(one.area, one.name) for one in report.findings if one.status == Status.WARNING}
    # Of this Redis without users and without a file, of backups without a bucket, of a copied file.
    assert warned <= {
        ("redis", "cache and queue: user"),
        ("redis", "cache and queue: persistence"),
        ("backups", "elsewhere"),
    }
    assert {one.area for one in report.findings} == set(areas.AREAS)
    assert len(told) == len(areas.ALL)
    assert report.is_well

"""The page of Redis: on a real server, while it is away, and where there is none."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings
from redis import Redis

from ops.redis import keys, looking
from tests.ops.redis.conftest import secured_redis
from tests.servers import HOST, Server, free_port, redis_server

from .conftest import text_of

pytestmark = pytest.mark.django_db
PAGE = "/admin/ops/redis/"
CANARY = "canary-value-4711"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def redis(server: Server, settings: Settings) -> Iterator[Redis]:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = server.url
    with Redis.from_url(server.url) as client:
        client.flushall()
        yield client


def test_it_shows_figures_keys_queues_and_findings(admin: Client, redis: Redis) -> None:
    for number in range(50):
        redis.set(f"afn:serving:{number:032x}", CANARY, ex=60)
    redis.set("afn:session:d0d0d0d0d0d0d0d0d0d0", CANARY)
    redis.lpush("celery-jobs", CANARY, CANARY)

    page = text_of(admin.get(PAGE))

    assert CANARY not in page
    assert "d0d0d0d0" not in page
    assert '<code>afn:serving:*</code></th><td class="afn-number-cell">50</td>' in page
    assert '<td class="afn-number-cell">100 %</td>' in page  # of them expire
    assert "afn:session:*" in page
    assert "All 52 keys were read." in page
    assert "<dt>Queue celery-jobs</dt><dd>2</dd>" in page
    assert "default, who may do anything" in page  # a finding, and what mends it
    assert "init_redis_config" in page
    assert CANARY not in text_of(admin.get(PAGE + "live/"))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("afn:1:projection", "afn:1:projection"),
        ("afn:rate:calls:60:29012345:0a1b2c3d4e5f60718293a4b5c6d7e8f9", "afn:rate:calls:*"),
        ("afn:session:0a1b2c3d4e5f60718293a4b5c6d7e8f9", "afn:session:*"),
        ("sk-afn-secretsecretsecretsecret", "*"),
        ("alice@example.com", "*"),
        ("celery-task-meta-5b6d-4711", "celery-task-meta-*"),
        ("_kombu.binding_permanent.celery", "_kombu.binding*"),
        ("a:b:c:d:e", "a:b:c:*"),
        ("<script>:x", "*:x"),
        ("", "*"),
    ],
)
def test_only_the_beginning_of_a_name_is_shown(name: str, shown: str) -> None:
    assert keys.beginning(name) == shown


def test_a_sample_is_bounded_in_keys_and_says_so(redis: Redis) -> None:
    for start in range(0, 5_000, 1_000):
        redis.mset({f"afn:serving:{number:08x}": "x" for number in range(start, start + 1_000)})
    with Redis.from_url(
        redis.connection_pool.connection_kwargs and _url(redis), decode_responses=True
    ) as text:
        found = keys.sample(text, 5_000, most=1_000)
        everything = keys.sample(text, 5_000)

    assert not found.is_whole
    assert 1_000 <= found.seen < 3_000
    assert found.estimate(found.prefixes[0]) == 5_000
    assert everything.is_whole
    assert everything.seen == 5_000
    assert everything.prefixes[0].expiring_share == 0


def _url(redis: Redis) -> str:
    options = redis.connection_pool.connection_kwargs
    return f"redis://{options['host']}:{options['port']}/0"


def test_while_redis_is_away_the_page_says_so(admin: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://app:secret-word@{HOST}:{free_port()}/0"
    settings.CELERY_BROKER_URL = f"redis://{HOST}:{free_port()}/1"

    answer = admin.get(PAGE)

    assert answer.status_code == 200
    assert text_of(answer).count("It does not answer (ConnectionError).") == 2
    assert "redis-server var/redis/redis.conf" in text_of(answer)
    assert "secret-word" not in text_of(answer)


def test_one_that_hangs_is_waited_for_once(settings: Settings) -> None:
    with socket.create_server((HOST, 0), backlog=8) as silent:
        settings.REDIS_URL = settings.CELERY_BROKER_URL = f"redis://{HOST}:{silent.getsockname()[1]}/0"
        started = time.monotonic()
        [found] = looking.look()

    assert time.monotonic() - started < 2 * looking.TIMEOUT
    assert found.figures is None
    assert found.problem == "it does not answer (TimeoutError)"


def test_without_redis_it_says_what_it_adds(admin: Client, settings: Settings) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = ""

    page = text_of(admin.get(PAGE))

    assert "AFN works without Redis here" in page
    assert "python manage.py init_redis_config" in page


def test_with_least_rights_names_of_keys_stay_hidden(
    admin: Client, settings: Settings, tmp_path: Path
) -> None:
    with secured_redis(tmp_path) as secured:
        settings.REDIS_URL = settings.CELERY_BROKER_URL = secured.url("app")
        page = text_of(admin.get(PAGE))

    assert "may not list the names of keys" in page
    assert "The user of" in page  # its slow log neither
    assert "<dt>Queue celery</dt><dd>0</dd>" in page
    assert secured.passwords["app"] not in page


def test_it_is_for_who_may_see_health(staff: Callable[..., Client]) -> None:
    client = staff("view_job")
    assert client.get(reverse("admin:ops_redis")).status_code == 403

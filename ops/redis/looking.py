"""One look at each Redis that AFN has, for a page: figures, keys, queues, what is wrong. Nothing is written.

A server that is away costs half a second, and nothing else of it is asked then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError, RedisError
from redis.retry import Retry

from ops.slow_queries.redis_log import NotReadable, SlowCommand, read_log

from . import keys
from .checking import check, refusal, shown_address
from .findings import Finding, Report
from .keys import Sample

TIMEOUT: Final = 0.4  # seconds
QUEUES: Final = ("celery", "celery-jobs")
_SLOW: Final = 20


@dataclass
class Memory:
    used: int
    peak: int
    most: int
    fragmentation: float | None

    @property
    def percent(self) -> int | None:
        return min(100, round(100 * self.used / self.most)) if self.most else None


@dataclass
class Figures:
    """Of `INFO`. Counts are since the server's start."""

    version: str
    uptime: timedelta
    memory: Memory
    hits: int
    misses: int
    evicted: int
    expired: int
    clients: int
    operations: int
    policy: str
    persistence: str  # "aof", "rdb" or ""
    is_broken: bool
    keys: int

    @property
    def hit_rate(self) -> float | None:
        asked = self.hits + self.misses
        return 100 * self.hits / asked if asked else None


@dataclass
class Server:
    """``uses`` are `cache`, `queue` or both. Without ``figures`` it does not answer: ``problem`` and
    ``remedy`` say why, and what to do."""

    address: str
    uses: tuple[str, ...]
    figures: Figures | None = None
    problem: str = ""
    remedy: str = ""
    sample: Sample | None = None
    # The user may not list the names of keys.
    is_blind: bool = False
    queues: list[tuple[str, int | None]] = field(default_factory=list)
    report: Report | None = None

    @property
    def findings(self) -> list[Finding]:
        order = {"failure": 0, "warning": 1, "ok": 2}
        found = self.report.findings if self.report else []
        return sorted(found, key=lambda one: order[one.level])


def look(*, whole: bool = True) -> list[Server]:
    """The cache's server and the queue's, which are mostly one; nothing where AFN has no Redis. Without
    `whole` only the figures and the queues."""
    if not settings.REDIS_URL:
        return []
    cache, queue = str(settings.REDIS_URL), str(settings.CELERY_BROKER_URL)
    if _host(cache) == _host(queue):
        return [_look(cache, queue, ("cache", "queue"), whole=whole)]
    return [
        _look(cache, "", ("cache",), whole=whole),
        _look(queue, queue, ("queue",), whole=whole),
    ]


def slow_log() -> tuple[list[SlowCommand], str]:
    """What took long, and else why that cannot be read."""
    try:
        return read_log(_SLOW), ""
    except NotReadable as reason:
        return [], str(reason)


def _look(url: str, queue: str, uses: tuple[str, ...], *, whole: bool) -> Server:
    found = Server(shown_address(url), uses)
    try:
        with _client(url) as client:
            info: dict[str, Any] = client.info()
            found.figures = _figures(info)
            if whole:
                _add_sample(client, info, found)
        if queue:
            with _client(queue) as client:
                found.queues = [(name, _length(client, name)) for name in QUEUES]
        if whole:
            found.report = check(url, uses, operations=0, timeout=TIMEOUT)
    except (RedisError, OSError, ValueError) as error:
        found.figures = None
        found.problem, found.remedy = refusal(error)
    return found


def _add_sample(client: Any, info: dict[str, Any], found: Server) -> None:
    """Of the database that AFN uses there."""
    number = client.connection_pool.connection_kwargs.get("db") or 0
    database = info.get(f"db{number}", {})
    try:
        found.sample = keys.sample(client, int(database.get("keys", 0)))
    except keys.NotAllowed:
        found.is_blind = True


def _length(client: Any, queue: str) -> int | None:
    """None where the user may not ask."""
    try:
        return int(client.llen(queue))
    except NoPermissionError:
        return None


def _figures(info: dict[str, Any]) -> Figures:
    def number(name: str) -> int:
        return int(info.get(name, 0))

    has_log, has_snapshot = number("aof_enabled"), number("rdb_last_save_time") and number("rdb_saves")
    statuses = ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")
    databases = [value for name, value in info.items() if name.startswith("db") and isinstance(value, dict)]
    return Figures(
        version=str(info.get("redis_version", "?")),
        uptime=timedelta(seconds=number("uptime_in_seconds")),
        memory=Memory(
            number("used_memory"),
            number("used_memory_peak"),
            number("maxmemory"),
            float(info["mem_fragmentation_ratio"]) if "mem_fragmentation_ratio" in info else None,
        ),
        hits=number("keyspace_hits"),
        misses=number("keyspace_misses"),
        evicted=number("evicted_keys"),
        expired=number("expired_keys"),
        clients=number("connected_clients"),
        operations=number("instantaneous_ops_per_sec"),
        policy=str(info.get("maxmemory_policy", "?")),
        persistence="aof" if has_log else "rdb" if has_snapshot else "",
        is_broken=any(info.get(name, "ok") != "ok" for name in statuses),
        keys=sum(int(one.get("keys", 0)) for one in databases),
    )


def _client(url: str) -> Redis:
    """One new connection and no second try: the answer must be of now."""
    return Redis.from_url(
        url,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        encoding_errors="replace",
    )


def _host(url: str) -> tuple[str | None, int]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or 6379

"""Redis: whether it answers in time and has memory left. The queue's as well, where it is apart."""

import time
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_noop as _
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ops.health.states import Finding, Sample, Status, sample
from ops.health.thresholds import REDIS_MEMORY, REDIS_SECONDS
from ops.said import say

_TIMEOUT: Final = 0.5  # seconds


def probe() -> Finding:
    return _look(settings.REDIS_URL, "cache") if settings.REDIS_URL else Finding(Status.DISABLED)


def probe_broker() -> Finding:
    if not settings.REDIS_URL or settings.CELERY_BROKER_URL == settings.REDIS_URL:
        return Finding(Status.DISABLED)
    return _look(settings.CELERY_BROKER_URL, "queue")


def client(url: str) -> Redis:
    """One new connection and no second try: the answer must be of now."""
    return Redis.from_url(
        url,
        socket_timeout=_TIMEOUT,
        socket_connect_timeout=_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def _look(url: str, use: str) -> Finding:
    with client(url) as redis:
        redis.ping()
        started = time.perf_counter()
        info: dict[str, Any] = redis.info()
        seconds = time.perf_counter() - started
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    share = used / most if most else 0.0
    status = Status.OK
    if REDIS_SECONDS.is_crossed(seconds) or REDIS_MEMORY.is_crossed(share) or info.get("loading"):
        status = Status.DEGRADED
    values = {
        "milliseconds": f"{1_000 * seconds:.1f}",
        "used": f"{used / 1_048_576:,.1f}",
        "evicted": f"{int(info.get('evicted_keys', 0)):,}",
    }
    if most:
        text = _("answers in %(milliseconds)s ms, %(used)s of %(most)s MiB, %(evicted)s evicted")
        detail = say(text, most=f"{most / 1_048_576:,.0f}", **values)
    else:
        detail = say(_("answers in %(milliseconds)s ms, %(used)s MiB, %(evicted)s evicted"), **values)
    return Finding(status, detail, seconds, _samples(info, use, seconds, used, most))


def _samples(info: dict[str, Any], use: str, seconds: float, used: int, most: int) -> list[Sample]:
    found = [
        sample("afn_redis_answer_seconds", seconds, use=use),
        sample("afn_redis_memory_used_bytes", used, use=use),
        sample("afn_redis_memory_max_bytes", most, use=use),
        sample("afn_redis_evicted_keys_total", int(info.get("evicted_keys", 0)), use=use),
        sample("afn_redis_clients", int(info.get("connected_clients", 0)), use=use),
    ]
    hits, misses = int(info.get("keyspace_hits", 0)), int(info.get("keyspace_misses", 0))
    if use == "cache" and hits + misses:
        found.append(sample("cache_hit_rate", hits / (hits + misses)))
    return found

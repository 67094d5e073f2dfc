"""The figures that rules can be about: an allow-list, read from what is measured and from a few tables."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max
from django.utils.translation import gettext_noop as _
from redis.exceptions import RedisError

from ops.health import watching
from ops.health.names import PARTS
from ops.health.parts.redis import client
from ops.jobs.models import Job, JobState
from ops.monitoring.measuring import Measured, measure, value
from ops.said import Said, say
from ops.slow_queries.models import SlowQuery
from prompts.indexing import COLLECTION
from vectors.relevance.models import EvaluationRun

logger = logging.getLogger(__name__)
LEAST_READS: Final = 1_000  # of fewer, a hit rate says nothing
_HEALTH: Final = "afn_health_status"
_LARGEST: Final = 1e12  # what is endless, as a number that JSON has
_FRESH: Final = 30.0  # seconds: nobody looks more often than idle processes do


@dataclass(frozen=True, slots=True)
class Metric:
    """`read` tells the figure, None where there is none now."""

    name: str
    title: Said
    unit: str
    read: Callable[[Measured, datetime], float | None]

    def shown(self, figure: float) -> str:
        number = f"{figure:,.4g}" if abs(figure) < 1_000 else f"{figure:,.0f}"
        return f"{number} {self.unit}".strip()


def read_all(names: Iterable[str], now: datetime) -> dict[str, float | None]:
    """By name. Of what cannot be read there is no figure; that never keeps the others from being read."""
    measured = measure(watching.recent(_FRESH))
    return {name: _read(name, measured, now) for name in names}


def get(name: str) -> Metric | None:
    return METRICS.get(name)


def choices() -> list[tuple[str, str]]:
    """In the reader's language."""
    return [(one.name, one.title.translated) for one in METRICS.values()]


def _read(name: str, measured: Measured, now: datetime) -> float | None:
    metric = METRICS.get(name)
    if metric is None:  # of another version of AFN
        return None
    try:
        figure = metric.read(measured, now)
    except (DatabaseError, RedisError, OSError) as error:
        logger.warning("The figure %s cannot be read: %s", name, type(error).__name__)
        return None
    if figure is None or math.isnan(figure):
        return None
    return max(-_LARGEST, min(_LARGEST, float(figure)))


def _of(name: str, factor: float = 1.0, **labels: str) -> Callable[[Measured, datetime], float | None]:
    def read(measured: Measured, now: datetime) -> float | None:
        figure = value(measured, name, **labels)
        return None if figure is None else figure * factor

    return read


def _memory(measured: Measured, now: datetime) -> float | None:
    total = value(measured, "memory_usage_bytes", type="total")
    free = value(measured, "memory_usage_bytes", type="available")
    return 100 * (1 - free / total) if total and free is not None else None


def _hit_rate(measured: Measured, now: datetime) -> float | None:
    if not settings.REDIS_URL:
        return None
    with client(settings.REDIS_URL) as redis:
        info: dict[str, Any] = redis.info("stats")
    hits, misses = int(info.get("keyspace_hits", 0)), int(info.get("keyspace_misses", 0))
    return hits / (hits + misses) if hits + misses >= LEAST_READS else None


def _slowest(measured: Measured, now: datetime) -> float | None:
    if settings.AFN_SLOW_QUERY_SECONDS <= 0:
        return None
    rows = SlowQuery.objects.filter(created_at__gte=now - timedelta(minutes=5))
    return rows.aggregate(longest=Max("seconds"))["longest"] or 0.0


def _failed_jobs(measured: Measured, now: datetime) -> float | None:
    since = now - timedelta(hours=1)
    return float(Job.objects.filter(state=JobState.FAILED, finished_at__gte=since).count())


def _backup_age(measured: Measured, now: datetime) -> float | None:
    age = value(measured, "afn_backup_age_seconds")
    if age is None:
        return _hours_of_the_tables(now) if value(measured, "afn_backups") == 0 else None
    return age / 3_600


def _uploaded_age(measured: Measured, now: datetime) -> float | None:
    age = value(measured, "afn_backup_uploaded_age_seconds")
    if age is None:  # there is no bucket
        return None
    return _hours_of_the_tables(now) if math.isinf(age) else age / 3_600


def _proved_age(measured: Measured, now: datetime) -> float | None:
    at = value(measured, "afn_backup_last_proved_timestamp_seconds")
    if at is None:
        return _hours_of_the_tables(now) if value(measured, "afn_backups") is not None else None
    return (now.timestamp() - at) / 3_600


def _hours_of_the_tables(now: datetime) -> float | None:
    """Where there never was a backup: a new site has as long for its first one as others for their next."""
    rows = MigrationRecorder.Migration.objects.order_by("applied")
    first = rows.values_list("applied", flat=True).first()
    if first is None:
        return None
    return (now - (first if first.tzinfo else first.replace(tzinfo=UTC))).total_seconds() / 3_600


def _disk_share(measured: Measured, now: datetime) -> float | None:
    shares = []
    for one in measured.get("afn_disk_free_bytes", ()):
        size = value(measured, "afn_disk_size_bytes", **one.labels)
        if size:
            shares.append(100 * one.value / size)
    return min(shares, default=None)


def _disk_free(measured: Measured, now: datetime) -> float | None:
    return min((one.value / 1e6 for one in measured.get("afn_disk_free_bytes", ())), default=None)


def _certificate_days(measured: Measured, now: datetime) -> float | None:
    return min((one.value for one in measured.get("certificate_days_left", ())), default=None)


def _redis_memory(measured: Measured, now: datetime) -> float | None:
    shares = []
    for one in measured.get("afn_redis_memory_used_bytes", ()):
        most = value(measured, "afn_redis_memory_max_bytes", **one.labels)
        if most:
            shares.append(100 * one.value / most)
    return max(shares, default=None)


def _recall(measured: Measured, now: datetime) -> float | None:
    """The newest recall of each mode by the best of a week; of the modes the least."""
    rows = EvaluationRun.objects.filter(collection__name=COLLECTION, created_at__gte=now - timedelta(days=7))
    by_mode: dict[str, list[float]] = {}
    for mode, metrics in rows.order_by("-pk").values_list("mode", "metrics")[:500]:
        name = next((name for name in metrics if name.startswith("recall@")), None)
        if name is not None:
            by_mode.setdefault(mode, []).append(metrics[name]["mean"])
    return min((found[0] / max(found) for found in by_mode.values() if max(found) > 0), default=None)


def _not_ready(measured: Measured, now: datetime) -> float | None:
    ready = value(measured, "afn_health_ready")
    return None if ready is None else float(not ready)


def _parts_down(measured: Measured, now: datetime) -> float | None:
    return float(sum(one.value >= 2 for one in measured.get(_HEALTH, ())))


_HEALTH_OF: Final = _("Health of %(part)s: 0 ok, 1 degraded, 2 down")
_ALL: Final = (
    Metric("cpu_percent", say(_("Processors in use")), "%", _of("cpu_usage_percent")),
    Metric("memory_percent", say(_("Memory in use")), "%", _memory),
    Metric("cache_hit_rate", say(_("Share of reads that Redis could answer")), "", _hit_rate),
    Metric("slowest_query_seconds", say(_("Slowest statement of five minutes")), "s", _slowest),
    Metric("connections", say(_("Connections to a database")), "", _of("db_connections")),
    Metric("backup_age_hours", say(_("Age of the newest backup")), "h", _backup_age),
    Metric("uploaded_age_hours", say(_("Age of the newest backup in the bucket")), "h", _uploaded_age),
    Metric("proved_age_hours", say(_("Time since a backup was last proved")), "h", _proved_age),
    Metric(
        "queue_age_seconds", say(_("Wait of the oldest job that is due")), "s", _of("afn_queue_age_seconds")
    ),
    Metric("jobs_waiting", say(_("Jobs that wait")), "", _of("afn_jobs_waiting")),
    Metric("failed_jobs", say(_("Jobs that failed within an hour")), "", _failed_jobs),
    Metric("recall_share", say(_("Recall of search, as a share of the best of a week")), "", _recall),
    Metric("disk_free_percent", say(_("Free part of the fullest disk")), "%", _disk_share),
    Metric("disk_free_mb", say(_("Free room on the fullest disk")), "MB", _disk_free),
    Metric("certificate_days", say(_("Days until the first certificate ends")), "d", _certificate_days),
    Metric("replica_lag_seconds", say(_("Lag of the copy, at most")), "s", _of("afn_replica_lag_seconds")),
    Metric("redis_answer_ms", say(_("Time of Redis's answer")), "ms", _of("afn_redis_answer_seconds", 1_000)),
    Metric("redis_memory_percent", say(_("Redis's memory in use")), "%", _redis_memory),
    Metric(
        "prompts_outdated", say(_("Prompts not yet indexed as they are")), "", _of("afn_prompts_outdated")
    ),
    Metric("not_ready", say(_("Whether /health/ready answers 503 (1)")), "", _not_ready),
    Metric("parts_down", say(_("Parts that are down")), "", _parts_down),
    *(
        Metric(f"health_{part}", say(_HEALTH_OF, part=part), "", _of(_HEALTH, part=part)) for part in PARTS
    ),
)  # fmt: skip
METRICS: Final = {one.name: one for one in _ALL}

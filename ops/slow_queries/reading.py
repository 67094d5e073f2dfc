"""The slow queries by statement, for the console, the API and the command."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from .models import SlowQuery


@dataclass(frozen=True, slots=True)
class Group:
    """One statement; `latest` is the last time that it took long."""

    fingerprint: str
    count: int
    p50: float
    longest: float
    total: float
    latest: SlowQuery


def groups(limit: int, *, since: datetime | None = None, database: str = "") -> list[Group]:
    """Those that took longest in all come first. Two statements, over all of a short table."""
    times: dict[str, list[float]] = defaultdict(list)
    latest: dict[str, int] = {}
    rows = _rows(since, database).order_by("-id").values_list("id", "fingerprint", "seconds")
    for key, name, seconds in rows:
        times[name].append(seconds)
        latest.setdefault(name, key)
    names = sorted(times, key=lambda name: sum(times[name]), reverse=True)[:limit]
    found = SlowQuery.objects.in_bulk([latest[name] for name in names])
    return [_group(times[name], found[latest[name]]) for name in names if latest[name] in found]


def one_group(fingerprint: str, *, since: datetime | None = None, database: str = "") -> Group | None:
    """One statement; None where it took long never, or not since then."""
    rows = _rows(since, database).filter(fingerprint=fingerprint)
    latest = rows.order_by("-id").first()
    return _group(list(rows.values_list("seconds", flat=True)), latest) if latest else None


def by_hour(*, since: datetime, database: str = "", fingerprint: str = "") -> dict[datetime, int]:
    """How many there were in each hour that had any, oldest first."""
    rows = _rows(since, database)
    if fingerprint:
        rows = rows.filter(fingerprint=fingerprint)
    hours = Counter(
        at.replace(minute=0, second=0, microsecond=0) for at in rows.values_list("created_at", flat=True)
    )
    return dict(sorted(hours.items()))


def databases() -> list[str]:
    """Those that have any."""
    return list(SlowQuery.objects.order_by("database").values_list("database", flat=True).distinct())


def _rows(since: datetime | None, database: str) -> QuerySet[SlowQuery]:
    rows = SlowQuery.objects.filter(created_at__gte=since) if since else SlowQuery.objects.all()
    return rows.filter(database=database) if database else rows


def _group(times: list[float], latest: SlowQuery) -> Group:
    times = sorted(times)
    middle = times[(len(times) - 1) // 2]
    return Group(latest.fingerprint, len(times), middle, times[-1], sum(times), latest)

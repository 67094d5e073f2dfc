"""The slow queries by statement, for the console, the API and the command."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

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


def groups(limit: int, *, since: datetime | None = None) -> list[Group]:
    """Those that took longest in all come first. Two statements, over all of a short table."""
    rows = SlowQuery.objects.filter(created_at__gte=since) if since else SlowQuery.objects.all()
    times: dict[str, list[float]] = defaultdict(list)
    latest: dict[str, int] = {}
    for key, name, seconds in rows.order_by("-id").values_list("id", "fingerprint", "seconds"):
        times[name].append(seconds)
        latest.setdefault(name, key)
    names = sorted(times, key=lambda name: sum(times[name]), reverse=True)[:limit]
    found = SlowQuery.objects.in_bulk([latest[name] for name in names])
    return [_group(times[name], found[latest[name]]) for name in names if latest[name] in found]


def _group(times: list[float], latest: SlowQuery) -> Group:
    times = sorted(times)
    middle = times[(len(times) - 1) // 2]
    return Group(latest.fingerprint, len(times), middle, times[-1], sum(times), latest)

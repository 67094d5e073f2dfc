"""What became of the figures: a rate, a share or a latency of each minute of the last hours."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from vectors.admin.charts import Axis, Chart, Point, Series

from .models import FigureMinute

HOURS: Final = 2.0
STEP: Final = timedelta(minutes=2)
_MINUTES: Final = STEP / timedelta(minutes=1)
_SLOW_SHARE: Final = 0.95
# Who says nothing for longer did not run: what it has counted since is of no known minute.
_GAP: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Trend:
    """``now`` is the newest value that there is, None where there is none."""

    name: str
    title: Any
    unit: Any
    digits: int
    points: Sequence[tuple[datetime, float | None]]

    @property
    def now(self) -> float | None:
        return next((value for _at, value in reversed(self.points[-3:]) if value is not None), None)

    @property
    def chart(self) -> Chart:
        points = [Point(at, value) for at, value in self.points]
        return Chart(
            self.name,
            str(self.title),
            [Series(str(self.title), points)],
            x=Axis(scale="time"),
            y=Axis(str(self.unit), low=0),
            is_small=True,
        )


def trends(hours: float = HOURS, now: datetime | None = None) -> list[Trend]:
    """Requests, cache, search and queue, in steps of two minutes."""
    now = now or timezone.now()
    start = now - timedelta(hours=hours)
    by_step = _by_step(start, now)
    moments = [start + STEP * number for number in range(1, math.ceil((now - start) / STEP) + 1)]

    def trend(name: str, title: Any, unit: Any, digits: int, read: Callable[[_Step], float | None]) -> Trend:
        steps = [by_step.get(number) for number in range(len(moments))]
        values = [read(step) if step else None for step in steps]
        return Trend(name, title, unit, digits, list(zip(moments, values, strict=True)))

    return [
        trend("requests", _("Requests"), _("a minute"), 0, lambda step: step.counted["requests"] / _MINUTES),
        trend("hit-rate", _("Prompts from the cache"), "%", 0, _hit_rate),
        trend("search", _("Search, 95 of 100 within"), "ms", 1, lambda step: _quantile(step.search)),
        trend("queue", _("Jobs that wait"), "", 0, lambda step: step.waiting),
    ]


@dataclass(slots=True)
class _Step:
    """What all sources have counted within a step."""

    counted: dict[str, float]
    search: dict[float, float]
    waiting: float | None


def _by_step(start: datetime, now: datetime) -> dict[int, _Step]:
    rows = FigureMinute.objects.filter(at__gt=start - _GAP, at__lte=now).order_by("source", "at")
    found: dict[int, _Step] = {}
    before: dict[str, tuple[datetime, Mapping[str, Any]]] = {}
    for source, at, values in rows.values_list("source", "at", "values"):
        last = before.get(source)
        before[source] = at, values
        number = math.ceil((at - start) / STEP) - 1
        if number < 0 or last is None or at - last[0] > _GAP:
            continue
        step = found.setdefault(number, _Step(defaultdict(float), defaultdict(float), None))
        for name in ("requests", "errors", "hits", "misses"):
            step.counted[name] += _grown(last[1].get(name), values.get(name))
        for bound, count in values.get("search", {}).items():
            step.search[float(bound)] += _grown(last[1].get("search", {}).get(bound), count)
        if (waiting := values.get("waiting")) is not None:  # of the same queue, whoever looks
            step.waiting = waiting
    return found


def _grown(before: float | None, after: float | None) -> float:
    """Totals begin at 0 again with their process."""
    before, after = before or 0.0, after or 0.0
    return after - before if after >= before else after


def _hit_rate(step: _Step) -> float | None:
    hits, misses = step.counted["hits"], step.counted["misses"]
    return 100 * hits / (hits + misses) if hits + misses else None


def _quantile(search: Mapping[float, float], share: float = _SLOW_SHARE) -> float | None:
    """Milliseconds within which that share of the searches ended, as Prometheus's histogram_quantile has it:
    within a bucket they are taken to be spread evenly.
    """
    bounds = sorted(search)
    if not bounds or not search[bounds[-1]]:
        return None
    wanted, low, below = share * search[bounds[-1]], 0.0, 0.0
    for bound in bounds:
        if search[bound] >= wanted:
            if math.isinf(bound):
                return 1_000 * low
            return 1_000 * (low + (bound - low) * (wanted - below) / (search[bound] - below))
        low, below = bound, search[bound]
    return 1_000 * low

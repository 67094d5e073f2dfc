"""One row a minute. Runs beside the looks at health, in their thread, and like them never waits for long."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Final

from ops.health.states import Finding, Health, Status

from .counting import source, totals
from .models import FigureMinute

KEPT: Final = timedelta(days=7)
_PRUNED: Final = 2_000
_lock: Final = threading.Lock()
_kept: dict[str, datetime] = {}


def wants(now: datetime) -> bool:
    """Whether the minute is still to be kept."""
    return _kept.get("minute") != _minute(now)


def keep(now: datetime, health: Health | None) -> Finding:
    """What another process of this source has kept already stays as it is."""
    minute = _minute(now)
    with _lock:
        if not wants(now):
            return Finding(Status.OK)
        row = FigureMinute(source=source(), at=minute, values=totals(health))
        FigureMinute.objects.bulk_create([row], ignore_conflicts=True)
        _kept["minute"] = minute
        if minute.minute == 0 or "pruned" not in _kept:
            _kept["pruned"] = minute
            prune(now)
    return Finding(Status.OK)


def prune(now: datetime) -> int:
    """Forget what is older than a week."""
    old = FigureMinute.objects.filter(at__lt=now - KEPT).order_by("at").values_list("pk", flat=True)
    return FigureMinute.objects.filter(pk__in=list(old[:_PRUNED])).delete()[0]


def forget() -> None:
    """For tests: as in a process that has just started."""
    _kept.clear()


def _minute(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(second=0, microsecond=0)

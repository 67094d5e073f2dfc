"""What the console's page of health shows above the records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.timezone import localtime

from . import watching
from .models import HealthRecord
from .states import State, Status
from .thresholds import OF_PARTS, Threshold

CELLS: Final = 48
CELL: Final = timedelta(minutes=30)
# Of unfold's style sheet, which has no others.
_COLOURS: Final = {"ok": "bg-green-500", "degraded": "bg-orange-400", "down": "bg-red-500"}


def context(now: datetime | None = None) -> dict[str, Any]:
    health = watching.current()
    now = now or timezone.now()  # after what was just found is written
    start = now - CELLS * CELL
    records = HealthRecord.objects.filter(at__gte=start).order_by("at").values_list("part", "status", "at")
    by_part: dict[str, list[tuple[str, datetime]]] = {}
    for part, status, at in records:
        by_part.setdefault(part, []).append((status, at))
    parts = [
        _row(state, cells(by_part.get(part, []), _before(part, start), start, now))
        for part, state in health.states.items()
        if state.status != Status.DISABLED
    ]
    disabled = [part for part, state in health.states.items() if state.status == Status.DISABLED]
    return {"health_status": health.status.value, "health_parts": parts, "health_disabled": disabled}


def cells(
    records: Iterable[tuple[str, datetime]], before: str, start: datetime, now: datetime
) -> list[dict[str, str]]:
    """The worst status of each half hour; `before` is how it was when the first of them began."""
    records = list(records)
    found, status = [], before
    for number in range(CELLS):
        begin = start + number * CELL
        within = [one for one, at in records if begin <= at < begin + CELL]
        shown = max([*([status] if status else []), *within], key=_rank, default="")
        status = within[-1] if within else status
        label = f"{localtime(begin):%H:%M}–{localtime(begin + CELL):%H:%M}: {shown or 'nothing known'}"
        found.append({"color": _COLOURS.get(shown, ""), "tooltip": label})
    return found


def _row(state: State, history: list[dict[str, str]]) -> dict[str, Any]:
    threshold = OF_PARTS.get(state.part)
    return {
        "name": state.part,
        "status": state.status.value,
        "detail": state.detail,
        "since": localtime(datetime.fromtimestamp(state.since, tz=timezone.get_current_timezone())),
        "limit": _limit(threshold) if threshold else "",
        "history": history,
    }


def _limit(threshold: Threshold) -> str:
    edge = "at least" if threshold.below else "at most"
    limit, unit = threshold.limit, threshold.unit
    if unit == "s" and limit >= 3_600:
        limit, unit = limit / 3_600, "h"
    return f"{threshold.meaning}: {edge} {limit:,g} {unit}".strip()


def _before(part: str, start: datetime) -> str:
    earlier: QuerySet[HealthRecord] = HealthRecord.objects.filter(part=part, at__lt=start)
    return earlier.order_by("-at", "-pk").values_list("status", flat=True).first() or ""


def _rank(status: str) -> int:
    return Status(status).rank

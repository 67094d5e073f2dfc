"""How parts were: a row for each change, and one in five minutes while nothing changes.

What happened while the database could not be written is written afterwards, with its own time.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils import timezone

from .models import HealthRecord
from .states import Finding, State, Status

EVERY: Final = 300.0  # seconds
KEPT: Final = timedelta(days=30)
_PRUNED: Final = 1_000
_PRUNE_EVERY: Final = 3_600.0

_lock: Final = threading.Lock()
_told: dict[str, tuple[Status, float]] = {}
_waiting: deque[HealthRecord] = deque(maxlen=500)
_pruned_at = 0.0


def wants(states: Mapping[str, State]) -> bool:
    """Take note of what is new; whether there is anything to write."""
    with _lock:
        for state in states.values():
            status, at = _told.get(state.part, (Status.DISABLED, 0.0))
            if status != state.status or (state.status != Status.DISABLED and state.at - at >= EVERY):
                _told[state.part] = state.status, state.at
                _waiting.append(_record(state))
        return bool(_waiting)


def keep(states: Mapping[str, State]) -> Finding:
    """Write what waits, but for what another process has written."""
    global _pruned_at
    with _lock:
        while _waiting:
            record = _waiting[0]
            last = HealthRecord.objects.filter(part=record.part).order_by("-at", "-pk").first()
            if last is None or last.status != record.status or _seconds(last, record) >= EVERY:
                record.save(force_insert=True)
            _waiting.popleft()
        now = max((state.at for state in states.values()), default=0.0)
        if now - _pruned_at > _PRUNE_EVERY:
            _pruned_at = now
            prune(datetime.fromtimestamp(now, UTC))
    return Finding(Status.OK)


def prune(now: datetime | None = None) -> int:
    """Forget what is older than 30 days."""
    old = HealthRecord.objects.filter(at__lt=(now or timezone.now()) - KEPT).order_by("at")
    return HealthRecord.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:_PRUNED])).delete()[0]


def forget() -> None:
    """For tests: as in a process that has just started."""
    with _lock:
        _told.clear()
        _waiting.clear()


def _record(state: State) -> HealthRecord:
    at = datetime.fromtimestamp(state.at, UTC)
    return HealthRecord(
        part=state.part, status=state.status.value, value=state.value, detail=state.detail[:200], at=at
    )


def _seconds(last: HealthRecord, record: HealthRecord) -> float:
    return (record.at - last.at).total_seconds()

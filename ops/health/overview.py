"""What the console's pages of health show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.timezone import localtime

from . import timeline, watching, wording
from .models import HealthRecord
from .states import State, Status
from .timeline import DAY, Piece, Record, Span


@dataclass(frozen=True, slots=True)
class Card:
    """A part as it is now, and its last day."""

    state: State
    title: Any
    word: Any
    limit: str
    since: datetime
    pieces: list[Piece]


def context(now: datetime | None = None) -> dict[str, Any]:
    """All parts. Three statements, however many parts there are, and one for each that changed lately."""
    health = watching.current()
    now = now or timezone.now()  # after what was just found is written
    start = now - DAY.length
    by_part: dict[str, list[Record]] = {}
    records = HealthRecord.objects.filter(at__gte=start).order_by("at")
    for part, status, at in records.values_list("part", "status", "at"):
        by_part.setdefault(part, []).append((status, at))
    cards = [
        _card(state, timeline.pieces(by_part.get(part, []), timeline.status_before(part, start), start, DAY))
        for part, state in health.states.items()
        if state.status != Status.DISABLED
    ]
    return {
        "health": health,
        "health_status": health.status.value,
        "cards": cards,
        "disabled": wording.titles_of_disabled(health),
    }


def of_part(part: str, span: Span, now: datetime | None = None) -> dict[str, Any]:
    """One part over a time: `states` is empty of a part that nobody looks at here."""
    state = watching.current().states.get(part)
    now = now or timezone.now()
    start = now - span.length
    before = timeline.status_before(part, start)
    rows = HealthRecord.objects.filter(part=part, at__gte=start).order_by("at", "pk")
    records = list(rows.values_list("status", "at"))
    return {
        "card": _card(state, timeline.pieces(records, before, start, span)) if state else None,
        "shares": timeline.shares(records, before, start, now),
        "changes": timeline.changes(part, span, now),
        "span": span,
        "start": localtime(start),
        "now": localtime(now),
    }


def _card(state: State, pieces: list[Piece]) -> Card:
    return Card(
        state,
        wording.title_of(state.part),
        wording.word_of(state.status),
        wording.limit_of(state.part),
        localtime(datetime.fromtimestamp(state.since, tz=UTC)),
        pieces,
    )

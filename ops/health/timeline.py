"""How a part was over a time, by what was kept of it: pieces of a bar, shares, changes and its figure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from vectors.admin.charts import Axis, Chart, Point, Series

from . import wording
from .models import HealthRecord
from .states import Status
from .thresholds import OF_PARTS

Record = tuple[str, datetime]  # a status, and since when


@dataclass(frozen=True, slots=True)
class Span:
    """So far back, in so many pieces of a bar."""

    key: str
    title: Any
    length: timedelta
    pieces: int

    @property
    def piece(self) -> timedelta:
        return self.length / self.pieces


SPANS: Final = (
    Span("24h", _("24 hours"), timedelta(hours=24), 48),
    Span("7d", _("7 days"), timedelta(days=7), 56),
    Span("30d", _("30 days"), timedelta(days=30), 60),
)
DAY: Final = SPANS[0]
_STEPS: Final = 288  # points of a chart
_CHANGES: Final = 100


def span_of(key: str) -> Span:
    return next((span for span in SPANS if span.key == key), DAY)


@dataclass(frozen=True, slots=True)
class Piece:
    """The worst status of a part of the time; empty where nothing is known."""

    status: str
    label: str


@dataclass(frozen=True, slots=True)
class Change:
    status: str
    word: Any
    detail: str
    at: datetime
    until: datetime | None


def pieces(records: Iterable[Record], before: str, start: datetime, span: Span) -> list[Piece]:
    """`before` is how it was when the first of them began."""
    by_piece: dict[int, list[str]] = {}
    for status, at in records:
        by_piece.setdefault(math.floor((at - start) / span.piece), []).append(status)
    found, status = [], before
    for number in range(span.pieces):
        within = by_piece.get(number, [])
        shown = max([*([status] if status else []), *within], key=_rank, default="")
        status = within[-1] if within else status
        begin = start + number * span.piece
        found.append(Piece(shown, _label(begin, span, shown)))
    return found


def shares(
    records: Sequence[Record], before: str, start: datetime, now: datetime
) -> list[tuple[str, Any, float]]:
    """Status, its word and its share of the time of which something is known, in per cent."""
    seconds: dict[str, float] = {}
    steps = [*([(before, start)] if before else []), *records]
    for (status, at), (_status, until) in pairwise([*steps, ("", now)]):
        seconds[status] = seconds.get(status, 0.0) + max(0.0, (until - at).total_seconds())
    total = sum(seconds.values())
    return [
        (status.value, wording.word_of(status), 100 * seconds[status] / total)
        for status in Status
        if total and seconds.get(status)
    ]


def changes(part: str, span: Span, now: datetime) -> list[Change]:
    """The newest first. A record that only says that nothing changed is none."""
    rows = HealthRecord.objects.filter(part=part, at__gte=now - span.length).order_by("at", "pk")
    found: list[Change] = []
    status = status_before(part, now - span.length)
    for record in rows.only("status", "detail", "at").iterator(chunk_size=2_000):
        if record.status == status:
            continue
        if found:
            found[-1] = _ended(found[-1], record.at)
        status = record.status
        found.append(Change(status, wording.word_of(status), record.detail, record.at, None))
    return found[: -_CHANGES - 1 : -1]


def figure_chart(part: str, span: Span, now: datetime) -> Chart | None:
    """The figure of a part with its limit; of each step the worst. None where a part has no figure."""
    figure = wording.FIGURES.get(part)
    if figure is None:
        return None
    threshold = OF_PARTS.get(part)
    start, step = now - span.length, span.length / _STEPS
    worse = min if threshold is not None and threshold.below else max
    rows = HealthRecord.objects.filter(part=part, at__gte=start, value__isnull=False).order_by("at")
    steps: dict[int, tuple[datetime, float]] = {}
    for at, value in rows.values_list("at", "value").iterator(chunk_size=2_000):
        number, figure_now = math.floor((at - start) / step), float(value or 0.0)
        if number not in steps or worse(steps[number][1], figure_now) == figure_now:
            steps[number] = at, figure_now
    series = [Series(str(figure.title), [Point(at, value * figure.factor) for at, value in steps.values()])]
    if threshold is not None and steps:
        limit = threshold.limit * figure.factor
        series.append(Series(gettext("Limit"), [Point(start, limit), Point(now, limit)]))
    time = Axis(gettext("time"), "time", start.timestamp() * 1_000, now.timestamp() * 1_000)
    title = f"{figure.title}, {figure.unit}" if figure.unit else str(figure.title)
    return Chart("figure", title, series, time, Axis(figure.unit, low=0))


def status_before(part: str, start: datetime) -> str:
    earlier = HealthRecord.objects.filter(part=part, at__lt=start).order_by("-at", "-pk")
    return earlier.values_list("status", flat=True).first() or ""


def _ended(change: Change, at: datetime) -> Change:
    return Change(change.status, change.word, change.detail, change.at, at)


def _label(begin: datetime, span: Span, status: str) -> str:
    begin, end = localtime(begin), localtime(begin + span.piece)
    start = date_format(begin, "TIME_FORMAT" if span is DAY else "SHORT_DATETIME_FORMAT")
    word = wording.word_of(status) if status else gettext("nothing known")
    return f"{start}–{date_format(end, 'TIME_FORMAT')}: {word}"


def _rank(status: str) -> int:
    return Status(status).rank

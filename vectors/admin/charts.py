"""Plots of the console, described: `static/afn/charts.js` draws them with Chart.js in the reader's theme.

A page puts a chart into its context and includes ``admin/chart.html``, which adds the same figures as a table
for whoever would rather read, or cannot see. Nothing here is HTML: names come from the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from django.utils.formats import number_format

from .display import short_time

Value: TypeAlias = float | int | None
Scale: TypeAlias = Literal["linear", "log", "time", "category"]
Shape: TypeAlias = Literal["line", "bar", "points"]

# So many points are drawn of a series without being in the way; tables show fewer.
MAX_POINTS = 10_000
MAX_TABLE_ROWS = 200


@dataclass(frozen=True, slots=True)
class Axis:
    """``title`` has the unit in it: "latency, ms". Times are moments, drawn in the reader's own zone."""

    title: str = ""
    scale: Scale = "linear"
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """``y`` of None is a gap of a line. ``low`` and ``high`` are the ends of an interval about it."""

    x: float | int | str | datetime
    y: Value
    text: str = ""
    url: str = ""
    low: Value = None
    high: Value = None


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    points: Sequence[Point]
    shape: Shape = "line"
    # The point that was chosen, such as the setting that is in use.
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """``name`` is unique on its page; of letters, digits and hyphens. ``is_small`` draws neither axes nor a
    legend: a sparkline. ``can_zoom`` by wheel, pinch and dragging.
    """

    name: str
    title: str
    series: Sequence[Series]
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    is_small: bool = False
    is_stacked: bool = False
    # Bars that lie, so that long names have room: x goes down, y to the right.
    is_horizontal: bool = False
    can_zoom: bool = False

    @property
    def id(self) -> str:
        return f"chart-{self.name}"

    @property
    def is_empty(self) -> bool:
        return not any(point.y is not None for series in self.series for point in series.points)

    @property
    def drawn(self) -> dict[str, Any]:
        """For the script: JSON."""
        return {
            "x": asdict(self.x),
            "y": asdict(self.y),
            "small": self.is_small,
            "stacked": self.is_stacked,
            "horizontal": self.is_horizontal,
            "zoom": self.can_zoom,
            "series": [
                {
                    "name": series.name,
                    "shape": series.shape,
                    "marked": series.is_marked,
                    "points": [_drawn(point) for point in series.points[:MAX_POINTS]],
                }
                for series in self.series
            ],
        }

    @property
    def has_intervals(self) -> bool:
        return any(point.low is not None for series in self.series for point in series.points)

    @property
    def has_texts(self) -> bool:
        return any(point.text for series in self.series for point in series.points)

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """For the table: series, x, y, and where any point has them its interval and text."""
        found: list[tuple[str, ...]] = []
        for series in self.series:
            for point in series.points[: MAX_TABLE_ROWS - len(found)]:
                row = [series.name, _shown(point.x), _shown(point.y)]
                if self.has_intervals:
                    row.append("–" if point.low is None else f"{_shown(point.low)} – {_shown(point.high)}")
                if self.has_texts:
                    row.append(point.text)
                found.append(tuple(row))
        return found

    @property
    def is_table_cut(self) -> bool:
        return sum(len(series.points) for series in self.series) > MAX_TABLE_ROWS


def _drawn(point: Point) -> dict[str, Any]:
    x = point.x.timestamp() * 1_000 if isinstance(point.x, datetime) else point.x
    drawn: dict[str, Any] = {"x": x, "y": point.y}
    if point.text:
        drawn["text"] = point.text
    if point.url:
        drawn["url"] = point.url
    if point.low is not None:
        drawn |= {"low": point.low, "high": point.high}
    return drawn


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return short_time(value)
    if isinstance(value, int):
        return number_format(value, force_grouping=True)
    if isinstance(value, float):
        return number_format(f"{value:.6g}")
    return "–" if value is None else str(value)

"""What came of a job, as people read it: key figures, tables and lists in the place of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.template.defaultfilters import filesizeformat
from django.utils.dateparse import parse_datetime
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from vectors.admin.display import count, duration, short_time

from .words import name_of

_MAX_ROWS: Final = 200
_MAX_TEXT: Final = 300


@dataclass
class Table:
    title: str
    rows: list[tuple[str, str]]
    is_cut: bool = False


@dataclass
class Listing:
    title: str
    items: list[str]
    is_cut: bool = False


@dataclass
class Shown:
    """``figures`` are a name and a text each."""

    figures: list[tuple[str, str]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.figures or self.tables or self.listings)


def show(result: Mapping[str, Any] | None) -> Shown:
    found = Shown()
    for name, value in (result or {}).items():
        title = name_of(name)
        if value is None or value in ([], {}, ""):
            continue
        if isinstance(value, Mapping):
            rows = [(str(key), text_of(str(key), one, name)) for key, one in value.items()]
            found.tables.append(Table(title, rows[:_MAX_ROWS], len(rows) > _MAX_ROWS))
        elif isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
            items = [text_of(name, one) for one in value]
            found.listings.append(Listing(title, items[:_MAX_ROWS], len(items) > _MAX_ROWS))
        elif isinstance(value, list):
            found.figures.append((title, count(len(value))))
        else:
            found.figures.append((title, text_of(name, value)))
    return found


def text_of(name: str, value: Any, within: str = "") -> str:
    """One value, by its type and by what its name says of it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float) and ("seconds" in name or within == "steps"):
        return duration(value)
    if isinstance(value, int):
        return filesizeformat(value) if name.endswith("bytes") else count(value)
    if isinstance(value, float):
        return number_format(f"{value:.6g}")
    if isinstance(value, str):
        if name.endswith("_at") and (moment := parse_datetime(value)):
            return short_time(moment)
        return value[:_MAX_TEXT]
    return str(value)[:_MAX_TEXT]

"""The console's page of the audit log: filters as chips, what each line changed, older lines by a key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime, time, timedelta
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from django.apps import apps
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import make_aware
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from vectors.admin.display import count, short_time

from .models import AuditEntry, Source
from .reading import find
from .values import CHANGED

PAGE: Final = 50
_MAX_TEXT: Final = 255
_OWN: Final = ("id", "created_at", "updated_at", "name")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$")
_MAX_ID: Final = 2**63 - 1
# Whose lines there are: the labels of models.
_APPS: Final = ("prompts", "vectors", "ops", "auth", "django_celery_beat")
TITLES: Final = {
    "action": _("Action"),
    "actor": _("Who"),
    "object_type": _("Kind"),
    "object_id": _("Object"),
    "source": _("By way of"),
    "since": _("From"),
    "until": _("Until"),
}


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set, and the page without it."""

    title: Any
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Change:
    """A field as it was and is, None where there is nothing; `is_fact`: its value is no change."""

    name: str
    old: str | None
    new: str | None
    is_fact: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    entry: AuditEntry
    kind: Any
    url: str
    changes: list[Change]


def context(request: HttpRequest) -> dict[str, Any]:
    """One statement, whatever is asked for; what no filter can be is left out and said."""
    wanted, wrong = _read(request)
    before = _number(request.GET.get("before", ""))
    found = list(find(**_values(wanted), before=before)[: PAGE + 1])
    shown = found[:PAGE]
    return {
        "lines": [Line(one, _kind(one.object_type), _url(request, one), changes_of(one)) for one in shown],
        "chips": list(_chips(wanted)),
        "wanted": wanted,
        "wrong": wrong,
        "kinds": _kinds(),
        "sources": Source.choices,
        "older": _query(wanted, before=str(shown[-1].pk)) if len(found) > PAGE else "",
        "newest": _query(wanted) if before else "",
    }


def changes_of(entry: AuditEntry) -> list[Change]:
    changes = entry.changes if isinstance(entry.changes, dict) else {}
    # Of what was made the line itself says which and when.
    passed = _OWN if entry.action.endswith(".created") else ()
    return [_change(name, value) for name, value in changes.items() if name not in passed]


def _change(name: str, value: Any) -> Change:
    if isinstance(value, list) and len(value) == 2:
        old, new = value
        return Change(name, _text(old) if _is_there(old) else None, _text(new) if _is_there(new) else None)
    return Change(name, None, gettext("changed") if value == CHANGED else _text(value), is_fact=True)


def _is_there(value: Any) -> bool:
    return value is not None and value != ""


def _text(value: Any) -> str:
    """As a reader takes it: of what was too long its length, and its hash to tell it from others."""
    if not _is_there(value):
        return "–"
    if isinstance(value, dict) and set(value) == {"sha256", "length"}:
        length = count(value["length"])
        digest = str(value["sha256"])[:8]
        return gettext("%(length)s characters (%(digest)s)") % {"length": length, "digest": digest}
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return short_time(parse_datetime(value)) if _MOMENT.match(value) else value


def _read(request: HttpRequest) -> tuple[dict[str, str], list[str]]:
    wanted, wrong = {}, []
    for name, title in TITLES.items():
        text = request.GET.get(name, "").strip()
        if not text:
            continue
        if len(text) > _MAX_TEXT or "\0" in text:
            wrong.append(gettext("%(field)s: expected up to 255 characters.") % {"field": title})
        elif name in ("since", "until") and _date(text) is None:
            wrong.append(
                gettext("%(field)s: expected a date such as 2026-11-26, got “%(got)s”.")
                % {"field": title, "got": text[:40]}
            )
        elif name == "source" and text not in Source.values:
            wrong.append(
                gettext("%(field)s: expected one of %(values)s, got “%(got)s”.")
                % {"field": title, "values": ", ".join(Source.values), "got": text[:40]}
            )
        else:
            wanted[name] = text
    return wanted, wrong


def _values(wanted: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = dict(wanted)
    if "since" in wanted:
        values["since"] = _date(wanted["since"])
    if "until" in wanted and (day := _date(wanted["until"])) is not None:
        values["until"] = day + timedelta(days=1)  # that day with its end
    return values


def _date(text: str) -> datetime | None:
    try:
        day = parse_date(text)
        # Of the first and the last year a day after, or a time zone, may be out of range.
        if day is None or not MINYEAR < day.year < MAXYEAR:
            return None
        return make_aware(datetime.combine(day, time()))
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_ID))
    return int(text) if is_number and 0 < int(text) <= _MAX_ID else None


def _chips(wanted: dict[str, str]) -> Iterator[Chip]:
    for name, value in wanted.items():
        shown = value
        if name == "source":
            shown = str(Source(value).label)
        elif name == "object_type":
            shown = str(_kind(value))
        elif name in ("since", "until") and (day := _date(value)):
            shown = date_format(day, "SHORT_DATE_FORMAT")
        rest = {other: text for other, text in wanted.items() if other != name}
        yield Chip(TITLES[name], shown, _query(rest))


def _query(wanted: dict[str, str], **more: str) -> str:
    return "?" + urlencode({**wanted, **more})


def _kind(label: str) -> Any:
    return dict(_kinds()).get(label, label)


@cache
def _kinds() -> list[tuple[str, Any]]:
    """Models by the label that lines have, with names that are translated when they are shown."""
    return [
        (model._meta.label_lower, model._meta.verbose_name)
        for app in _APPS
        for model in apps.get_app_config(app).get_models()
    ]


def _url(request: HttpRequest, entry: AuditEntry) -> str:
    """The page of the object, which may be gone; nothing for who may not see it, or where it has none."""
    app, _dot, model = entry.object_type.partition(".")
    if not entry.object_id or not model or not request.user.has_perm(f"{app}.view_{model}"):
        return ""
    try:
        return reverse(f"admin:{app}_{model}_change", args=[entry.object_id])
    except NoReverseMatch:
        return ""

"""A time zone's UTC offset as a SQL expression, for any date between the years 1 and 9999.

libSQL has no time zones and its binding registers no functions, so the zone's whole history travels in
the SQL: a CASE over its recorded transitions, newest first, and for the time after the last of them the
zone's yearly rule, worked out with SQLite's own date modifiers.

The data are those of :mod:`zoneinfo`: the TZif file (RFC 8536) of the system or of ``tzdata``.
"""

import importlib.resources
import re
import struct
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR = 366 * 86_400  # seconds


@dataclass(frozen=True)
class Rule:
    """The yearly change of a POSIX TZ footer: offsets in seconds east, and the two days of the change.

    ``start`` and ``end`` are (month, week 1…5 where 5 is the last, weekday 0 = Sunday, seconds after
    local midnight); ``start`` is told in standard time, ``end`` in daylight time.
    """

    standard: int
    daylight: int
    start: tuple[int, int, int, int]
    end: tuple[int, int, int, int]


@dataclass(frozen=True)
class Zone:
    """`first` is the offset before any transition; transitions are (UTC seconds, offset), ascending."""

    first: int
    transitions: tuple[tuple[int, int], ...]
    rule: Rule | None


@cache
def load_zone(key: str) -> Zone:
    """Read a zone by its IANA name. Raises ``zoneinfo.ZoneInfoNotFoundError`` where there is none."""
    zoneinfo.ZoneInfo(key)  # refuses unknown names and those that leave the data's folder
    data = _read_tzif(key)
    header = struct.Struct(">4s c 15x 6l")
    # A first block with 32-bit times precedes the one with 64-bit times that is read here.
    _, _, isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt = header.unpack_from(data)
    start = header.size + timecnt * 5 + typecnt * 6 + charcnt + leapcnt * 8 + isstdcnt + isutcnt
    _, _, isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt = header.unpack_from(data, start)
    start += header.size
    times = struct.unpack_from(f">{timecnt}q", data, start)
    kinds = struct.unpack_from(f">{timecnt}B", data, start + timecnt * 8)
    types = list(struct.iter_unpack(">lbb", data[start + timecnt * 9 : start + timecnt * 9 + typecnt * 6]))
    footer = start + timecnt * 9 + typecnt * 6 + charcnt + leapcnt * 12 + isstdcnt + isutcnt
    rule = _parse_footer(data[footer:].decode("ascii").strip("\n"))
    first = next((offset for offset, is_dst, _ in types if not is_dst), types[0][0])
    transitions = [(seconds, types[kind][0]) for seconds, kind in zip(times, kinds, strict=True)]
    if rule:
        transitions = _without_repeats(transitions, rule)
    return Zone(first, tuple(_changes(first, transitions)), rule)


@cache
def offset_sql(key: str, *, local: bool) -> str:
    """The offset of zone `key` in seconds east of UTC, as SQL over a column ``v``.

    ``v`` is text of the form ``YYYY-MM-DD HH:MM:SS``: UTC, or (`local`) the zone's own clock, where a
    time that comes twice means its first coming and one that is skipped counts by the old offset, as
    with ``fold=0`` in Python. Percent signs are doubled for Django's cursors.
    """
    zone = load_zone(key)
    offsets = [zone.first, *(offset for _, offset in zone.transitions)]
    last = str(offsets[-1]) if zone.rule is None else _rule_sql(zone.rule, local=local)
    if len(offsets) == 1:
        return last
    cases = []
    for index in reversed(range(len(zone.transitions))):
        seconds, offset = zone.transitions[index]
        # On the zone's own clock the new offset holds from where both offsets agree that it does.
        shift = max(offset, offsets[index]) if local else 0
        value = last if index == len(zone.transitions) - 1 else str(offset)
        cases.append(f"WHEN v>='{_text(seconds + shift)}' THEN {value}")
    return f"(CASE {' '.join(cases)} ELSE {zone.first} END)"


def _read_tzif(key: str) -> bytes:
    for folder in zoneinfo.TZPATH:
        path = Path(folder, key)
        if path.is_file():
            return path.read_bytes()
    package, _, name = f"tzdata.zoneinfo.{key.replace('/', '.')}".rpartition(".")
    return importlib.resources.files(package).joinpath(name).read_bytes()


def _changes(offset: int, transitions: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Leave out transitions that change only the name of the time or its being daylight time."""
    for seconds, new in transitions:
        if new != offset:
            yield seconds, new
            offset = new


def _without_repeats(transitions: list[tuple[int, int]], rule: Rule) -> list[tuple[int, int]]:
    """Drop the newest transitions where the rule says the same (some data repeat it up to 2037).

    One transition that the rule also knows stays, as the moment from which the rule holds.
    """
    kept = list(transitions)
    while (
        len(kept) > 1
        and _follows(kept[-1], rule)
        and _follows(kept[-2], rule)
        and kept[-1][0] - kept[-2][0] < _YEAR  # a zone may have kept its clocks still for some years
    ):
        kept.pop()
    return kept


def _follows(transition: tuple[int, int], rule: Rule) -> bool:
    seconds, offset = transition
    year = (_EPOCH + timedelta(seconds=seconds)).year
    starts, ends = (
        _seconds_of(year, rule.start) - rule.standard,
        _seconds_of(year, rule.end) - rule.daylight,
    )
    return (seconds, offset) in ((starts, rule.daylight), (ends, rule.standard))


def _seconds_of(year: int, day: tuple[int, int, int, int]) -> int:
    month, week, weekday, seconds = day
    if week == 5:
        first = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC) - timedelta(days=7)
    else:
        first = datetime(year, month, 1, tzinfo=UTC) + timedelta(days=7 * (week - 1))
    date = first + timedelta(days=(weekday - first.isoweekday()) % 7)
    return int((date - _EPOCH).total_seconds()) + seconds


def _rule_sql(rule: Rule, *, local: bool) -> str:
    latest = max(rule.standard, rule.daylight)
    start = _day_sql(rule.start, (latest if local else 0) - rule.standard)
    end = _day_sql(rule.end, (latest if local else 0) - rule.daylight)
    # In the southern half of the world daylight time runs across the new year.
    joint = "AND" if rule.start[0] < rule.end[0] else "OR"
    return f"CASE WHEN v>={start} {joint} v<{end} THEN {rule.daylight} ELSE {rule.standard} END"


def _day_sql(day: tuple[int, int, int, int], shift: int) -> str:
    month, week, weekday, seconds = day
    to_week = "'+1 month','-7 days'" if week == 5 else f"'+{7 * (week - 1)} days'"
    first = f"strftime('%%Y',v)||'-{month:02d}-01'"
    return f"datetime({first},{to_week},'weekday {weekday}','{seconds + shift:+d} seconds')"


def _text(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat(" ")


_NAME = r"(?:<[^>]+>|[A-Za-z]+)"
_CLOCK = r"([+-]?\d+(?::\d+){0,2})"
_FOOTER = re.compile(
    rf"^{_NAME}{_CLOCK}"
    rf"(?:{_NAME}{_CLOCK}?,M(\d+)\.(\d)\.(\d)(?:/{_CLOCK})?,M(\d+)\.(\d)\.(\d)(?:/{_CLOCK})?)?$"
)


def _parse_footer(footer: str) -> Rule | None:
    """``EST5EDT,M3.2.0,M11.1.0`` as a rule; None where the zone no longer changes its clocks."""
    if not footer:
        return None
    match = _FOOTER.match(footer)
    if match is None:
        raise ValueError(f"Unknown form of a time zone rule: {footer!r}")
    standard, daylight, *days = match.groups()
    if days[0] is None:
        return None
    west = _clock(standard)

    def day(month: str, week: str, weekday: str, time: str | None) -> tuple[int, int, int, int]:
        return int(month), int(week), int(weekday), 7200 if time is None else _clock(time)

    return Rule(
        standard=-west,
        daylight=-west + 3600 if daylight is None else -_clock(daylight),
        start=day(*days[:4]),
        end=day(*days[4:]),
    )


def _clock(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = (*map(int, text.lstrip("+-").split(":")), 0, 0)[:3]
    return sign * (hours * 3600 + minutes * 60 + seconds)

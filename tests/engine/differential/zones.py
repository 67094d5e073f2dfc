"""The zones under test, and the instants at which their clocks change, found without reading their files."""

from __future__ import annotations

import datetime as dt
import random
import zoneinfo
from functools import cache

ZONES = (
    "UTC",
    "America/New_York",
    "Europe/London",
    "Europe/Dublin",  # winter time is the "daylight" one, an hour back
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # half an hour of daylight time
    "America/St_Johns",  # once changed at 00:01
    "Africa/Casablanca",  # pauses for Ramadan, told in advance up to 2087
    "Asia/Gaza",  # as above, and a rule that names hour 50 of a day
    "Pacific/Apia",  # left out 30 December 2011
    "America/Sao_Paulo",  # gave daylight time up, at midnight
    "America/Nuuk",  # a rule that begins before midnight
    "Etc/GMT+5",
)
FIXED = tuple(dt.timezone(dt.timedelta(minutes=m)) for m in (0, 330, -210, 14 * 60, -(23 * 60 + 59)))

Zone = zoneinfo.ZoneInfo | dt.timezone


def zone_id(zone: Zone) -> str:
    """Name a zone in test ids."""
    return str(zone)


def all_zones() -> list[Zone]:
    """Return the named zones and the fixed offsets."""
    return [*map(zoneinfo.ZoneInfo, ZONES), *FIXED]


@cache
def transitions(key: str) -> list[dt.datetime]:
    """Return the instants (UTC, naive) at which the zone's offset changes, in the years that are looked at.

    Every week from 1850 to 2040 and in sample years after the recorded ones, where only a rule says what is.
    """
    zone = zoneinfo.ZoneInfo(key)
    found = []
    for first, last in ((1850, 2040), (2060, 2061), (2086, 2089), (2400, 2401), (9990, 9991)):
        instant, end = dt.datetime(first, 1, 1), dt.datetime(last, 1, 1)
        while instant < end:
            following = instant + dt.timedelta(days=7)
            if offset(zone, instant) != offset(zone, following):
                found.append(bisect(zone, instant, following))
            instant = following
    return found


def bisect(zone: zoneinfo.ZoneInfo, before: dt.datetime, after: dt.datetime) -> dt.datetime:
    """Return the first second that has the offset of `after`."""
    while after - before > dt.timedelta(seconds=1):
        middle = before + dt.timedelta(seconds=(after - before) // dt.timedelta(seconds=2))
        if offset(zone, middle) == offset(zone, before):
            before = middle
        else:
            after = middle
    return after


def offset(zone: zoneinfo.ZoneInfo, instant: dt.datetime) -> dt.timedelta | None:
    """Return the offset at a naive UTC instant."""
    return instant.replace(tzinfo=dt.UTC).astimezone(zone).utcoffset()


def sampled_transitions(rng: random.Random, key: str, count: int) -> list[dt.datetime]:
    """Return `count` transitions: the earliest, the latest, the rest by chance."""
    found = transitions(key)
    if len(found) <= count:
        return found
    return [*found[:2], *found[-3:], *rng.sample(found[2:-3], count - 5)]

"""UTC offsets in SQL against :mod:`zoneinfo`, at the moments where they change."""

import json
import zoneinfo
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from afn_project.libsql.dbapi import Connection
from afn_project.libsql.timezones import load_zone, offset_sql

EPOCH = datetime(1970, 1, 1)
# Every kind of zone: without changes, with rules in both halves of the world, past rules, moved date
# lines, changes of half an hour or by night, negative daylight time, offsets with seconds, and links.
ZONES = [
    *("UTC", "Etc/GMT+5", "Etc/GMT-14", "EST5EDT", "Asia/Tokyo", "Asia/Kolkata", "Asia/Kathmandu"),
    *("America/New_York", "America/Los_Angeles", "America/St_Johns", "America/Sao_Paulo", "America/Caracas"),
    *("America/Havana", "America/Santiago", "America/Asuncion", "America/Nuuk", "America/Scoresbysund"),
    *("America/Phoenix", "America/Mexico_City", "Europe/London", "Europe/Berlin", "Europe/Dublin"),
    *("Europe/Moscow", "Europe/Istanbul", "Europe/Lisbon", "Europe/Chisinau", "Europe/Amsterdam"),
    *("Africa/Cairo", "Africa/Casablanca", "Africa/Monrovia", "Africa/Juba", "Antarctica/Troll"),
    *("Asia/Gaza", "Asia/Tehran", "Asia/Jerusalem", "Asia/Beirut", "Asia/Pyongyang", "Asia/Manila"),
    *("Australia/Sydney", "Australia/Lord_Howe", "Australia/Eucla", "Pacific/Apia", "Pacific/Auckland"),
    *("Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Kwajalein", "Pacific/Norfolk"),
]
RULE_YEARS = (2026, 2027, 2028, 2037, 2038, 2100, 2399, 9990)
EDGES = (-86_400, -7_201, -3_601, -1_801, -1, 0, 1, 1_799, 1_800, 3_599, 3_600, 7_200, 86_400)  # seconds


def text(seconds: int) -> str:
    return (EPOCH + timedelta(seconds=seconds)).isoformat(" ")


def utc_offset(zone: zoneinfo.ZoneInfo, seconds: int) -> int:
    moment = (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=UTC)
    return int(moment.astimezone(zone).utcoffset().total_seconds())  # type: ignore[union-attr]


def local_offset(zone: zoneinfo.ZoneInfo, seconds: int) -> int:
    moment = (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=zone)
    return int(moment.utcoffset().total_seconds())  # type: ignore[union-attr]


def changes_by_rule(zone: zoneinfo.ZoneInfo, year: int) -> Iterator[int]:
    """The UTC seconds at which `zone` changes its offset in `year`, found without the engine's help."""
    start = int((datetime(year, 1, 1) - EPOCH).total_seconds())
    for earlier in range(start, start + 366 * 86_400, 7 * 86_400):
        low, high = earlier, earlier + 7 * 86_400
        before = utc_offset(zone, low)
        if utc_offset(zone, high) == before:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if utc_offset(zone, middle) == before else (low, middle)
        yield high


def moments(zone: zoneinfo.ZoneInfo) -> set[int]:
    """UTC seconds around every change of `zone`, and in years without any."""
    changes = {seconds for seconds, _ in load_zone(zone.key).transitions}
    for year in RULE_YEARS:
        changes.update(changes_by_rule(zone, year))
    plain = {int((datetime(year, 6, 30, 12) - EPOCH).total_seconds()) for year in (1, 1000, 1800, 1900, 9998)}
    near = {seconds + edge for seconds in changes for edge in EDGES}
    return plain | {seconds for seconds in near if seconds > min(plain)}


def offsets_in_sql(connection: Connection, sql: str, values: Iterable[int]) -> dict[int, int]:
    query = f"SELECT v, {sql.replace('%%', '%')} FROM (SELECT value AS v FROM json_each(?))"
    asked = {text(value): value for value in values}
    rows = connection.execute(query, [json.dumps(list(asked))]).fetchall()
    return {asked[v]: offset for v, offset in rows}  # type: ignore[index,misc]


@pytest.mark.parametrize("key", ZONES)
def test_the_offset_of_a_utc_time_is_zoneinfos(memory: Connection, key: str) -> None:
    zone = zoneinfo.ZoneInfo(key)
    values = moments(zone)
    expected = {value: utc_offset(zone, value) for value in values}
    assert offsets_in_sql(memory, offset_sql(key, local=False), values) == expected


@pytest.mark.parametrize("key", ZONES)
def test_the_offset_of_a_local_time_is_zoneinfos(memory: Connection, key: str) -> None:
    zone = zoneinfo.ZoneInfo(key)
    # Around each change on the zone's own clock too, the hour that is skipped or comes twice included.
    values = {
        value + utc_offset(zone, value) + around for value in moments(zone) for around in (-3600, 0, 3600)
    }
    expected = {value: local_offset(zone, value) for value in values}
    assert offsets_in_sql(memory, offset_sql(key, local=True), values) == expected


def test_one_value_can_be_asked_for(memory: Connection) -> None:
    sql = offset_sql("Europe/Berlin", local=False).replace("%%", "%")
    query = f"SELECT {sql} FROM (SELECT ? AS v)"
    assert memory.execute(query, ["2024-03-31 00:59:59"]).fetchone() == (3600,)
    assert memory.execute(query, ["2024-03-31 01:00:00"]).fetchone() == (7200,)


def test_a_fixed_zone_is_a_number() -> None:
    assert offset_sql("UTC", local=False) == "0"
    assert offset_sql("Etc/GMT-14", local=True) == "50400"


@pytest.mark.parametrize("key", ["Mars/Olympus", "", "../../etc/passwd", "Europe", "/etc/localtime"])
def test_it_refuses_an_unknown_zone(key: str) -> None:
    with pytest.raises((zoneinfo.ZoneInfoNotFoundError, ValueError, OSError)):
        offset_sql(key, local=False)

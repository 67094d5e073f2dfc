"""The rows: seeded random values, and the edges at which such code goes wrong."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any, TypeVar

from .models import Moment, Number, Text
from .zones import ZONES, sampled_transitions

T = TypeVar("T")
SEED = 20250613
MICROSECOND, SECOND, DAY = dt.timedelta(microseconds=1), dt.timedelta(seconds=1), dt.timedelta(days=1)
EDGES = 4  # rows at the ends of the calendar; they come first
FIRST, LAST = dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)


def or_null(rng: random.Random, value: T) -> T | None:
    """Return the value, one time in twenty NULL."""
    return None if rng.random() < 0.05 else value


def random_datetime(rng: random.Random, first: int, last: int) -> dt.datetime:
    """Return an instant of the years first … last: whole seconds, milliseconds or microseconds."""
    start = dt.datetime(first, 1, 1)
    seconds = rng.randrange(int((dt.datetime(last, 12, 31) - start).total_seconds()))
    fraction = rng.choice([0, 0, rng.randrange(1_000_000), rng.randrange(1000) * 1000, 1, 999_999])
    return start + dt.timedelta(seconds=seconds, microseconds=fraction)


def edge_datetimes() -> list[dt.datetime]:
    """Return the ends of the calendar, leap days, and the days around ISO and other new years."""
    edges = [FIRST, FIRST + dt.timedelta(days=3, hours=7), LAST, LAST - dt.timedelta(days=2)]
    edges += [
        dt.datetime(year, 2, 28, 23, 59, 59, 999_999) + MICROSECOND for year in (1900, 2000, 2023, 2024)
    ]
    edges += [dt.datetime(1970, 1, 1) + delta for delta in (-SECOND, -MICROSECOND, MICROSECOND, SECOND)]
    for year in (1, 100, 1583, 1899, 1999, 2005, 2009, 2016, 2020, 2026, 2400, 9998):
        edges += [dt.datetime(year, 12, 27, 12) + dt.timedelta(days=n, hours=n) for n in range(9)]
    for month in (3, 6, 9, 12):
        edges += [dt.datetime(2023, month, 1) - MICROSECOND, dt.datetime(2023, month, 1)]
    return edges


def instants(rng: random.Random) -> list[dt.datetime]:
    """Return the naive UTC instants that all temporal expressions are tried on."""
    found = edge_datetimes()
    for zone in ZONES:
        for change in sampled_transitions(rng, zone, 7):
            found += [change - SECOND, change - MICROSECOND, change, change + dt.timedelta(minutes=29)]
            found.append(
                change + dt.timedelta(minutes=rng.randrange(-90, 90), microseconds=rng.randrange(10**6))
            )
    for first, last, count in (
        (1, 1850, 40),
        (1850, 1970, 40),
        (1970, 2037, 60),
        (2038, 2100, 40),
        (2100, 9999, 40),
    ):
        found += [random_datetime(rng, first, last) for _ in range(count)]
    return found


def random_duration(rng: random.Random) -> dt.timedelta:
    """Return a duration of any size and sign, sometimes exact days, sometimes zero."""
    size = rng.choice([0, 1, 10**3, 10**6, 10**9, 86_400 * 10**6, 10**12, 10**14, 3 * 10**15])
    if rng.random() < 0.2:
        return dt.timedelta(days=rng.randrange(-400, 400))
    return dt.timedelta(microseconds=rng.randint(-size, size))


def random_time(rng: random.Random) -> dt.time:
    """Return a time of day, at times its very ends."""
    return rng.choice(
        [dt.time(), dt.time(23, 59, 59, 999_999), *[random_datetime(rng, 2000, 2001).time()] * 8]
    )


def moments(time_zone: str | None = None) -> list[Moment]:
    """Return the temporal rows; datetimes are aware, in UTC.

    A zone to store them in takes the calendar's first and last days away, which it may not have.
    """
    rng = random.Random(SEED)
    every = instants(rng)
    if time_zone:
        every = [instant for instant in every if FIRST + 2 * DAY < instant < LAST - 2 * DAY]
    return [moment(rng, pk, instant, rng.choice(every)) for pk, instant in enumerate(every, start=1)]


def moment(rng: random.Random, pk: int, instant: dt.datetime, other: dt.datetime) -> Moment:
    """Return one row about `instant`; `other` is near in half of the rows."""
    if rng.random() < 0.5 and FIRST.year < instant.year < LAST.year:
        other = instant + dt.timedelta(microseconds=rng.randint(-(10**11), 10**11))
    return Moment(
        pk=pk,
        dt=or_null(rng, instant.replace(tzinfo=dt.UTC)),
        dt2=or_null(rng, other.replace(tzinfo=dt.UTC)),
        d=or_null(rng, instant.date()),
        d2=or_null(rng, other.date()),
        t=or_null(rng, instant.time() if rng.random() < 0.5 else random_time(rng)),
        t2=or_null(rng, random_time(rng)),
        dur=or_null(rng, random_duration(rng)),
        dur2=or_null(rng, random_duration(rng)),
        n=or_null(rng, rng.choice([-3, -1, 0, 1, 2, 7, 1000])),
        x=or_null(rng, rng.choice([-2.5, -1.0, 0.0, 0.1, 0.5, 1.0, 3.0, 1e-7, 1e6])),
    )


# fmt: off
WORDS = (
    "", " ", "a", "A", "abc", "ABC", "aBcAbC", "  both ends  ", "tab\tand\nline", "100%", "under_score",
    "quote's", 'double"', "back\\slash", "[x]", "a.b", "a*b", "(x)", "x{2}", "^start", "end$", "a|b", "x?y",
    "12", "3.14", "-7", "naïve", "Straße", "ÄÖÜ", "日本語", "日本語のテキスト", "é", "e\u0301", "👍🏽 ok",
    "\u00a0nbsp\u00a0", "a\r\nb\n", "The quick brown fox", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "user@example.com", "2024-02-29", "foo bar_baz-42",
)
# fmt: on


def texts() -> list[Text]:
    """Return the text rows: every word, and random strings of their characters."""
    rng = random.Random(SEED)
    letters = sorted(set("".join(WORDS)))
    values = [*WORDS] + ["".join(rng.choices(letters, k=rng.randrange(1, 25))) for _ in range(80)]
    values += ["".join(rng.choices("abcABC123 _-.", k=rng.randrange(1, 25))) for _ in range(80)]
    return [text(rng, pk, value) for pk, value in enumerate(values, start=1)]


def text(rng: random.Random, pk: int, value: str) -> Text:
    """Return one row; the part often occurs in the text."""
    start = rng.randrange(len(value) + 1)
    part = rng.choice([value[start : start + rng.randrange(4)], rng.choice(WORDS), "", "ab"])
    sizes = [-5, -1, 0, 1, 2, 3, 5, 8, 40, len(value)]
    return Text(pk=pk, s=or_null(rng, value), part=or_null(rng, part), n=or_null(rng, rng.choice(sizes)))


WHOLE = (
    0,
    1,
    -1,
    2,
    -2,
    3,
    7,
    -7,
    10,
    255,
    -256,
    2**31 - 1,
    2**31,
    -(2**31),
    -(2**31) - 1,
    2**53 + 1,
    -(2**53) - 1,
)
HUGE = (2**62, 2**63 - 1, -(2**63), 2**63 - 2)
REAL = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    0.1,
    1e-9,
    -1e-9,
    1e9,
    1e15 + 0.5,
    1e300,
    -1e300,
    3.14159,
    99.0,
)


def numbers() -> list[Number]:
    """Return the number rows, in groups: 0 has one row, 1 two, 2 only NULLs, 3 equal values, 4 the rest."""
    rng = random.Random(SEED)
    rows = [number(rng, pk, 4) for pk in range(1, 241)]
    for pk, group in ((241, 0), (242, 1), (243, 1)):
        rows.append(Number(pk=pk, group=group, i=pk, j=pk % 2, small=pk - 240, x=pk / 7, y=1.5, dec="1.125"))
    rows += [Number(pk=pk, group=2) for pk in (244, 245)]
    rows += [Number(pk=pk, group=3, i=5, j=5, small=5, x=0.1, y=0.1, dec="0.1") for pk in (246, 247, 248)]
    return rows


def number(rng: random.Random, pk: int, group: int) -> Number:
    """Return one row of edges and random values."""

    def whole() -> int:
        return rng.choice([rng.choice(WHOLE), rng.randint(-1000, 1000), rng.choice([*WHOLE, *HUGE])])

    def real() -> float:
        return rng.choice([rng.choice(REAL), rng.uniform(-1, 1), rng.uniform(-1000, 1000)])

    values: dict[str, Any] = {
        "i": whole(),
        "j": whole(),
        "small": rng.randint(-9, 9),
        "x": real(),
        "y": real(),
    }
    values["dec"] = rng.randint(-(10**6), 10**6) / 1000
    return Number(pk=pk, group=group, **{name: or_null(rng, value) for name, value in values.items()})

"""Extract, truncate and cast in many time zones, from the year 1 to 9999."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import models
from django.db.models import functions
from django.test import override_settings
from django.utils import timezone

from .compare import Comparison
from .engines import Pair, open_pair
from .models import Moment
from .zones import Zone, all_zones, zone_id

EXTRACTS = (
    "year iso_year quarter month week day week_day iso_week_day hour minute second".split()  # noqa: SIM905
)
DATE_KINDS = ("year", "quarter", "month", "week", "day")
TIME_KINDS = ("hour", "minute", "second")

every_zone = pytest.mark.parametrize("zone", all_zones(), ids=zone_id)


def zoned_expressions(zone: Zone | None) -> dict[str, Any]:
    """Return every function that takes a datetime through a zone."""
    found: dict[str, Any] = {}
    for kind in EXTRACTS:
        found[f"Extract {kind}"] = functions.Extract("dt", kind, tzinfo=zone)
    for kind in DATE_KINDS + TIME_KINDS:
        found[f"Trunc {kind}"] = functions.Trunc("dt", kind, tzinfo=zone)
    for kind in DATE_KINDS:
        found[f"Trunc {kind} to a date"] = functions.Trunc(
            "dt", kind, output_field=models.DateField(), tzinfo=zone
        )
    for kind in TIME_KINDS:
        found[f"Trunc {kind} to a time"] = functions.Trunc(
            "dt", kind, output_field=models.TimeField(), tzinfo=zone
        )
    found["TruncDate"] = functions.TruncDate("dt", tzinfo=zone)
    found["TruncTime"] = functions.TruncTime("dt", tzinfo=zone)
    found["Extract of Trunc"] = functions.ExtractDay(functions.TruncWeek("dt", tzinfo=zone), tzinfo=zone)
    found["Trunc of a literal"] = functions.TruncHour(
        models.Value(dt.datetime(2021, 3, 28, 0, 59, 59, 5, tzinfo=dt.UTC)), tzinfo=zone
    )
    return found


@every_zone
def test_zone_given_to_the_function(comparison: Comparison, zone: Zone) -> None:
    comparison.context = f"in {zone} "
    comparison.expressions(Moment, zoned_expressions(zone))
    comparison.report()


@every_zone
def test_current_zone_in_lookups(comparison: Comparison, zone: Zone) -> None:
    """Lookups have no tzinfo: they look at the active zone."""
    comparison.context = f"in {zone} "
    conditions = {
        "dt__date": dt.date(2024, 3, 31),
        "dt__date__gte": dt.date(1900, 1, 1),
        "dt__date__in": [dt.date(1970, 1, 1), dt.date(2023, 12, 31)],
        "dt__time__lt": dt.time(6, 30, 0, 5),
        "dt__time": dt.time(0, 0),
        "dt__year": 2020,
        "dt__year__gte": 9998,
        "dt__year__lt": 1900,
        "dt__iso_year": 2021,
        "dt__month__in": [1, 12],
        "dt__day__gt": 28,
        "dt__week": 53,
        "dt__week_day": 1,
        "dt__iso_week_day__in": [6, 7],
        "dt__quarter": 4,
        "dt__hour__range": (22, 23),
        "dt__minute": 59,
        "dt__second__gt": 58,
    }
    with timezone.override(zone):
        for lookup, value in conditions.items():
            comparison.expressions(Moment, {f"{lookup}={value}": models.Q(**{lookup: value})})
    comparison.report()


@every_zone
def test_values_in_use(comparison: Comparison, zone: Zone) -> None:
    """Truncated values in a filter, in an order and in a group, where their text form matters."""
    comparison.context = f"in {zone} "
    day = functions.TruncDay("dt", tzinfo=zone)
    hour = functions.TruncHour("dt", tzinfo=zone)
    comparison.expressions(
        Moment,
        {
            "TruncDay < dt2": models.Q(models.lookups.LessThan(day, models.F("dt2"))),
            "TruncDate = d": models.Q(
                models.lookups.Exact(functions.TruncDate("dt", tzinfo=zone), models.F("d"))
            ),
            "TruncHour of the later": functions.TruncHour(functions.Greatest("dt", "dt2"), tzinfo=zone),
            "Case": models.Case(
                models.When(dt__lt=hour, then=functions.ExtractHour("dt", tzinfo=zone)),
                default=functions.ExtractMinute("dt2", tzinfo=zone),
            ),
        },
    )
    comparison.queryset(
        "count by day",
        Moment,
        lambda rows: (
            rows.values_list(functions.TruncDate("dt", tzinfo=zone))
            .annotate(count=models.Count("pk"))
            .order_by(functions.TruncDate("dt", tzinfo=zone))
        ),
    )
    comparison.report()


def test_dates_and_times_of_day(comparison: Comparison) -> None:
    """DateField and TimeField know no zone."""
    found: dict[str, Any] = {}
    for kind in EXTRACTS[:8]:
        found[f"Extract {kind} of a date"] = functions.Extract("d", kind)
    for kind in DATE_KINDS:
        found[f"Trunc {kind} of a date"] = functions.Trunc("d", kind)
    for kind in TIME_KINDS:
        found[f"Extract {kind} of a time"] = functions.Extract("t", kind)
        found[f"Trunc {kind} of a time"] = functions.Trunc("t", kind)
    # In the calendar's last second stock has NULL, for it rounds the fraction up into the year 10000.
    last = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
    for name in ("dt", "d"):
        for field in (models.DateField(), models.TimeField(), models.DateTimeField()):
            cast = models.Case(models.When(dt__lt=last, then=functions.Cast(name, field)))
            found[f"Cast {name} to {type(field).__name__}"] = cast
    found["Cast t to TimeField"] = functions.Cast("t", models.TimeField())
    found |= {f"column {name}": models.F(name) for name in ("dt", "d", "t", "dur", "n", "x")}
    comparison.expressions(Moment, found)
    comparison.report()


def test_dates_and_datetimes_of_a_queryset(comparison: Comparison) -> None:
    """`dates()` and `datetimes()` give distinct values in order."""
    for kind in ("year", "month", "week", "day"):
        comparison.queryset(
            f"dates {kind}", Moment, lambda rows, kind=kind: numbered(rows.dates("d", kind, order="DESC"))
        )
    for zone in map(zoneinfo.ZoneInfo, ("Europe/London", "Asia/Kolkata")):
        for kind in ("year", "month", "week", "day", *TIME_KINDS):
            comparison.queryset(
                f"datetimes {kind} in {zone}",
                Moment,
                lambda rows, kind=kind, zone=zone: numbered(rows.datetimes("dt", kind, tzinfo=zone)),
            )
    comparison.report()


def numbered(values: models.QuerySet) -> models.QuerySet:
    """Put each value beside itself, since comparisons expect a key and a value."""
    field = "datefield" if "datefield" in values.query.annotations else "datetimefield"
    return values.values_list(field, field)


@pytest.fixture(scope="module", params=["Asia/Tokyo", "America/New_York", "Europe/Dublin"])
def zoned_pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, django_db_blocker
) -> Iterator[Pair]:
    """A pair of databases whose datetimes are stored in another zone than UTC (DATABASES … TIME_ZONE)."""
    folder = tmp_path_factory.mktemp("zoned")
    with (
        django_db_blocker.unblock(),
        override_settings(USE_TZ=True, TIME_ZONE="UTC"),
        open_pair(folder, request.param) as pair,
    ):
        yield pair


OTHER_ZONES = ("UTC", "America/New_York", "Europe/Dublin", "Australia/Lord_Howe", "Asia/Gaza", "Pacific/Apia")
OTHERS = [None, *map(zoneinfo.ZoneInfo, OTHER_ZONES), dt.timezone(dt.timedelta(hours=-3, minutes=-30))]


@pytest.mark.parametrize("zone", OTHERS, ids=str)
def test_connection_in_another_zone(zoned_pair: Pair, django_db_blocker, zone: Zone | None) -> None:
    """What is stored is local time, which a clock set back makes ambiguous: both engines take the first."""
    comparison = Comparison(zoned_pair, context=f"stored as in {zoned_pair.stock}, in {zone} ")
    with django_db_blocker.unblock(), override_settings(USE_TZ=True, TIME_ZONE="UTC"):
        comparison.expressions(Moment, {"column": models.F("dt"), **zoned_expressions(zone)})
        comparison.report()


def test_without_zone_support(pair: Pair, django_db_blocker) -> None:
    """USE_TZ=False: nothing is converted."""
    comparison = Comparison(pair, context="USE_TZ=False ")
    with django_db_blocker.unblock(), override_settings(USE_TZ=False, TIME_ZONE="America/New_York"):
        comparison.expressions(Moment, zoned_expressions(None))
        comparison.report()

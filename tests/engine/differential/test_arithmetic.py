"""Dates, times, durations and numbers added, subtracted, multiplied and divided."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import models
from django.db.models import ExpressionWrapper, F, Value, functions

from .compare import Comparison
from .models import Moment

DAY = dt.timedelta(days=1)
DURATIONS = (
    dt.timedelta(0),
    DAY,
    -DAY,
    dt.timedelta(microseconds=1),
    dt.timedelta(microseconds=-1),
    dt.timedelta(hours=25, microseconds=999_999),
    dt.timedelta(hours=-25, microseconds=-1),
    dt.timedelta(days=400, seconds=86_399),
    dt.timedelta(days=-36_525, milliseconds=1),
)
datetime_field, date_field, time_field = models.DateTimeField(), models.DateField(), models.TimeField()
duration_field = models.DurationField()


def typed(expression: Any, field: models.Field) -> ExpressionWrapper:
    """Say which type the result has."""
    return ExpressionWrapper(expression, output_field=field)


def test_moment_and_duration(comparison: Comparison) -> None:
    for name in ("dt", "d", "t"):
        found = {f"{name} + dur": F(name) + F("dur"), f"{name} - dur": F(name) - F("dur")}
        found[f"dur + {name}"] = F("dur") + F(name)
        for delta in DURATIONS:
            found |= {f"{name} + {delta!r}": F(name) + delta, f"{name} - {delta!r}": F(name) - delta}
            found[f"{delta!r} + {name}"] = Value(delta) + F(name)
        comparison.expressions(Moment, found)
    comparison.report()


def test_date_and_duration_as_datetime(comparison: Comparison) -> None:
    """A date moves by whole days only, also where the result is said to be a datetime."""
    found: dict[str, Any] = {"d + dur": typed(F("d") + F("dur"), datetime_field)}
    for delta in DURATIONS:
        found[f"d + {delta!r}"] = typed(F("d") + delta, datetime_field)
        found[f"d - {delta!r} as a date"] = typed(F("d") - delta, date_field)
    comparison.expressions(Moment, found)
    comparison.report()


def test_subtraction_of_moments(comparison: Comparison) -> None:
    moment = dt.datetime(2024, 2, 29, 12, 30, 15, 250_000, tzinfo=dt.UTC)
    comparison.expressions(
        Moment,
        {
            "dt - dt2": F("dt") - F("dt2"),
            "dt2 - dt": F("dt2") - F("dt"),
            "dt - dt": F("dt") - F("dt"),
            "dt - value": F("dt") - Value(moment),
            "value - dt": Value(moment) - F("dt"),
            "d - d2": F("d") - F("d2"),
            "d - value": F("d") - Value(moment.date()),
            "value - d": Value(dt.date(1, 1, 1)) - F("d"),
            "t - t2": F("t") - F("t2"),
            "t - value": F("t") - Value(moment.time()),
            "value - t": Value(dt.time(23, 59, 59, 999_999)) - F("t"),
            "dt - Trunc": F("dt") - functions.TruncDay("dt"),
            "Trunc - Trunc": functions.TruncMonth("dt") - functions.TruncYear("dt2"),
            "TruncDate - d": functions.TruncDate("dt") - F("d2"),
            "TruncTime - t": functions.TruncTime("dt") - F("t2"),
            "max - min": functions.Greatest("dt", "dt2") - functions.Least("dt", "dt2"),
        },
    )
    comparison.report()


def test_durations_among_themselves_and_with_numbers(comparison: Comparison) -> None:
    found: dict[str, Any] = {
        "dur + dur2": F("dur") + F("dur2"),
        "dur - dur2": F("dur") - F("dur2"),
        "dur * n": typed(F("dur") * F("n"), duration_field),
        "n * dur": typed(F("n") * F("dur"), duration_field),
        "dur * x": typed(F("dur") * F("x"), duration_field),
        "dur / n": typed(F("dur") / F("n"), duration_field),
        "dur / x": typed(F("dur") / F("x"), duration_field),
        "dur * 2": typed(F("dur") * 2, duration_field),
        "dur * -0.5": typed(F("dur") * -0.5, duration_field),
        "dur / 3": typed(F("dur") / 3, duration_field),
        "dur / -7": typed(F("dur") / -7, duration_field),
        "delta * n": typed(Value(DAY) * F("n"), duration_field),
        "n * delta": typed(F("n") * Value(dt.timedelta(microseconds=-3)), duration_field),
    }
    for delta in DURATIONS:
        found |= {f"dur + {delta!r}": F("dur") + delta, f"{delta!r} - dur": Value(delta) - F("dur")}
    comparison.expressions(Moment, found)
    comparison.report()


def test_chains(comparison: Comparison) -> None:
    """Nested arithmetic: the SQL grows, the parser's stack does not."""
    chain: Any = F("dt")
    for step in range(1, 13):
        chain = chain + dt.timedelta(days=step, microseconds=1) - dt.timedelta(hours=step)
    comparison.expressions(
        Moment,
        {
            "dt + dur + dur2": F("dt") + F("dur") + F("dur2"),
            "dt + (dur + dur2)": F("dt") + (F("dur") + F("dur2")),
            "dt - dur + delta": F("dt") - F("dur") + DAY,
            "d + dur - delta": F("d") + F("dur") - DAY,
            "(dt - dt2) + dt2": (F("dt") - F("dt2")) + F("dt2"),
            "dt + (dt2 - dt)": F("dt") + (F("dt2") - F("dt")),
            "(d - d2) + d2": (F("d") - F("d2")) + F("d2"),
            "(dt - dt2) + dur": (F("dt") - F("dt2")) + F("dur"),
            "(dt + dur) - dt": (F("dt") + F("dur")) - F("dt"),
            "(t - t2) + dur": (F("t") - F("t2")) + F("dur"),
            "Trunc(dt + dur)": functions.TruncWeek(F("dt") + F("dur")),
            "Extract(dt - dur)": functions.ExtractIsoYear(F("dt") - F("dur")),
            "Extract(d + dur)": functions.ExtractDay(F("d") + F("dur"), tzinfo=None),
            "Trunc(dt) + dur": functions.TruncDay("dt") + F("dur"),
            "TruncDate(dt) + dur": functions.TruncDate("dt") + F("dur"),
            "Case": models.Case(models.When(n__gt=0, then=F("dt") + F("dur")), default=F("dt2") - F("dur")),
            "Coalesce": functions.Coalesce(F("dt") + F("dur"), F("dt2")),
            "24 steps": chain,
        },
    )
    comparison.report()


def test_comparisons(comparison: Comparison) -> None:
    """The results in conditions: their text form has to sort like the stored values."""
    day = {"of a day": DAY, "of a microsecond": dt.timedelta(microseconds=1)}
    for label, delta in day.items():
        conditions = {
            "dt < dt2 + delta": models.Q(dt__lt=F("dt2") + delta),
            "dt = dt2 - delta": models.Q(dt=F("dt2") - delta),
            "d >= d2 + delta": models.Q(d__gte=F("d2") + delta),
            "dt - dt2 > delta": models.Q(models.lookups.GreaterThan(F("dt") - F("dt2"), Value(delta))),
            "dur <= -delta": models.Q(dur__lte=-delta),
            "dt + dur > dt2": models.Q(models.lookups.GreaterThan(F("dt") + F("dur"), F("dt2"))),
            "dt + dur - dur = dt": models.Q(models.lookups.Exact(F("dt") + F("dur") - F("dur"), F("dt"))),
            "dt in range": models.Q(dt__range=(F("dt2") - delta, F("dt2") + delta)),
        }
        comparison.context = f"with {label} "
        comparison.expressions(Moment, conditions)
    comparison.report()


def test_aggregates_of_moments(comparison: Comparison) -> None:
    """Sum, average and extremes of durations and moments, by group."""
    aggregates = {
        "Sum(dur)": models.Sum("dur"),
        "Avg(dur)": models.Avg("dur"),
        "Max(dt)": models.Max("dt"),
        "Min(d)": models.Min("d"),
        "Max(t)": models.Max("t"),
        "Sum(dt - dt2)": models.Sum(F("dt") - F("dt2")),
        "Avg(dt - dt2)": models.Avg(F("dt") - F("dt2"), output_field=duration_field),
        "Max(dt + dur)": models.Max(F("dt") + F("dur"), filter=models.Q(dt__year__range=(1900, 2100))),
        "Count(distinct Trunc)": models.Count(functions.TruncMonth("dt"), distinct=True),
    }
    for label, aggregate in aggregates.items():
        comparison.queryset(
            label,
            Moment,
            lambda rows, aggregate=aggregate: rows.order_by("n").values_list("n").annotate(value=aggregate),
        )
    comparison.report()

"""Functions of window functions: a window must not move into a subquery, where it would see one row."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import NotSupportedError, models
from django.db.models import ExpressionWrapper, F, Value, Window, functions
from django.utils.timezone import get_fixed_timezone

from .compare import Comparison
from .models import Moment

ROW = Window(functions.RowNumber(), order_by="id")
LATEST = Window(models.Max("dt"), order_by="id")


def typed(expression: Any, field: models.Field) -> ExpressionWrapper:
    return ExpressionWrapper(expression, output_field=field)


def test_functions_of_windows(comparison: Comparison) -> None:
    duration, moment = models.DurationField(), models.DateTimeField()
    comparison.expressions(
        Moment,
        {
            "gap": typed(F("dt") - Window(functions.Lag("dt"), order_by="id"), duration),
            "window + duration": typed(LATEST + F("dur"), moment),
            "sum of durations / 2": typed(Window(models.Sum("dur"), order_by="id") / 2, duration),
            "mod": functions.Mod(ROW, 3),
            "xor": typed(F("n").bitxor(ROW), models.IntegerField()),
            "power": functions.Power(ROW, 2),
            "sign": functions.Sign(ROW - 5),
            "ceil": functions.Ceil(ROW / 2.0),
            "log": functions.Log(Value(2.0), ROW + 1),
            "lpad": functions.LPad(functions.Cast(ROW, models.CharField()), 5, Value("0")),
            "repeat": functions.Repeat(Value("ab"), ROW % 4),
            "year": functions.ExtractYear(LATEST),
            "week": functions.ExtractWeek(LATEST),
            "quarter": functions.TruncQuarter(LATEST),
            "date": functions.TruncDate(LATEST),
        },
    )
    comparison.report()


@pytest.mark.parametrize(
    "expression",
    [
        functions.TruncDate(LATEST, tzinfo=get_fixed_timezone(540)),
        typed(ROW.bitxor(Value(3)), models.IntegerField()),
    ],
)
def test_what_cannot_be_computed_beside_a_window_is_refused(expression: Any, comparison: Comparison) -> None:
    with pytest.raises(NotSupportedError, match="window"):
        str(Moment.objects.using(comparison.pair.libsql).annotate(computed=expression).query)

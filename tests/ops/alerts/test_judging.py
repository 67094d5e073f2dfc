"""Figures over time, and what a rule makes of them."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.alerts.judging import GAP, Change, judge
from ops.alerts.models import AlertRule

from .conftest import at

Figures = list[tuple[float, float | None]]


def outcome(figures: Figures, **values: Any) -> list[tuple[float, str]]:
    """When it was raised and cleared, by the seconds of the figures."""
    rule = AlertRule(**{"comparison": "above", "threshold": 80, "clear": 70, "for_seconds": 0} | values)
    found, is_open = [], False
    for seconds, value in figures:
        verdict = judge(rule, is_open, value, at(seconds))
        rule.pending_since = verdict.pending_since
        if value is not None:
            rule.measured_at = at(seconds)
        if verdict.change != Change.NONE:
            is_open = verdict.change == Change.RAISED
            found.append((seconds, str(verdict.change)))
    return found


def every(step: float, *values: float | None) -> Figures:
    return [(number * step, value) for number, value in enumerate(values)]


BELOW = {"comparison": "below", "threshold": 0.7, "clear": 0.75}


@pytest.mark.parametrize(
    ("figures", "values", "expected"),
    [
        (every(30, 50, 80, 79), {}, []),  # the limit itself is not past it
        (every(30, 50, 81, 90, 60), {}, [(30, "raised"), (90, "cleared")]),
        # Between the two limits nothing changes, whichever way it came from.
        (every(30, 81, 75, 79, 85, 75, 70), {}, [(0, "raised"), (150, "cleared")]),
        (every(30, 75, 71, 79), {}, []),
        # It flaps about the threshold: one alert, and after the end another one.
        (every(30, 81, 79, 81, 79, 81, 70, 81), {}, [(0, "raised"), (150, "cleared"), (180, "raised")]),
        # It has to hold for so long, without a figure on the good side in between.
        (every(30, 90, 90, 90, 90), {"for_seconds": 60}, [(60, "raised")]),
        (every(30, 90, 90, 79, 90, 90, 90), {"for_seconds": 60}, [(150, "raised")]),
        (every(30, 90, 50, 90, 50, 90, 50), {"for_seconds": 60}, []),
        # A figure that is missing neither raises nor clears, and counts as nothing for a while.
        (every(30, None, None), {}, []),
        (every(30, 90, None, None, 60), {}, [(0, "raised"), (90, "cleared")]),
        (every(30, 90, None, 90), {"for_seconds": 60}, [(60, "raised")]),
        (every(30, 90, 90, None), {"for_seconds": 60}, []),
        # After a gap nobody knows whether it held.
        ([(0, 90), (3_600, 90), (3_660, 90)], {"for_seconds": 60}, [(3_660, "raised")]),
        (every(30, 0.8, 0.7, 0.69, 0.74, 0.75), BELOW, [(60, "raised"), (120, "cleared")]),
    ],
)
def test_figures_over_time(figures: Figures, values: Any, expected: list[tuple[float, str]]) -> None:
    assert outcome(figures, **values) == expected


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=40),
    st.sampled_from((0, 30, 90)),
    st.floats(1, 60),
)
def test_it_is_raised_and_cleared_in_turn_and_only_past_the_limits(
    values: list[float | None], for_seconds: int, step: float
) -> None:
    figures = every(step, *values)
    found = outcome(figures, for_seconds=for_seconds)
    by_second = dict(figures)
    assert [change for _, change in found] == (["raised", "cleared"] * len(found))[: len(found)]
    for seconds, change in found:
        value = by_second[seconds]
        assert value is not None
        assert value > 80 if change == "raised" else value <= 70
        if change == "raised":
            earlier = [one for second, one in figures if seconds - for_seconds <= second <= seconds]
            assert all(one is None or one > 80 for one in earlier)


def test_the_gap_is_longer_than_some_looks() -> None:
    assert 3 * timedelta(seconds=30) < GAP

"""Intervals cover what they should, and are the same every time."""

import numpy as np
import pytest

from vectors.errors import InvalidQuery
from vectors.relevance.intervals import Interval, mean_interval


def test_a_mean_lies_within_its_interval():
    interval = mean_interval(np.array([0.0, 1.0, 1.0, 0.5, 1.0, 0.0, 1.0, 1.0]))
    assert interval.mean == 0.6875
    assert 0.25 < interval.low < 0.6875 < interval.high < 0.95
    assert mean_interval(np.array([0.0, 1.0, 1.0, 0.5, 1.0, 0.0, 1.0, 1.0])) == interval


def test_it_is_the_normal_interval_where_that_is_right():
    values = np.random.default_rng(1).normal(0.2, 1.0, 2_000)
    interval, error = mean_interval(values), values.std(ddof=1) / np.sqrt(2_000)
    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)


def test_it_leans_to_where_the_values_spread():
    """Correction for skewness, worked out from Efron's formula: exponential values spread upwards."""
    values = np.random.default_rng(2).exponential(1.0, 40)
    interval = mean_interval(values)
    assert interval.high - interval.mean > 1.1 * (interval.mean - interval.low)


def test_it_reads_the_bounds_off_at_efrons_levels():
    """All resamples of (0, 0, 1) have means 0, 1/3, 2/3, 1 with shares 8, 12, 6, 1 of 27."""
    interval = mean_interval(np.array([0.0, 0.0, 1.0]))
    assert (interval.low, interval.high) == (0.0, 1.0)


@pytest.mark.parametrize(
    "draw",
    [
        lambda random, size: (random.random(size) < 0.3).astype(float),
        lambda random, size: random.choice([0, 1 / 3, 1 / 2, 1.0], size, p=[0.2, 0.1, 0.2, 0.5]),
        lambda random, size: random.beta(5, 1, size),
    ],
    ids=["hits", "reciprocal ranks", "skewed"],
)
def test_nineteen_of_twenty_intervals_hold_the_truth(draw):
    random = np.random.default_rng(3)
    truth = draw(random, 1_000_000).mean()
    intervals = [mean_interval(draw(random, 50)) for _ in range(400)]
    covered = np.mean([one.low <= truth <= one.high for one in intervals])
    assert 0.915 <= covered <= 0.985


def test_pairing_sees_what_two_intervals_cannot():
    random = np.random.default_rng(4)
    before = random.random(200)
    after = before + random.normal(0.01, 0.02, 200)
    first, second = mean_interval(before), mean_interval(after)
    assert first.low < second.mean < first.high
    assert mean_interval(after - before).is_positive


def test_one_value_has_no_interval_and_none_has_no_mean():
    assert mean_interval(np.array([0.5])) == Interval(0.5, None, None)
    assert not mean_interval(np.array([0.5])).is_positive
    with pytest.raises(InvalidQuery, match="at least one"):
        mean_interval(np.array([]))


def test_equal_values_have_an_interval_without_width():
    assert mean_interval(np.ones(9)) == Interval(1.0, 1.0, 1.0)


def test_many_distinct_values_come_in_parts():
    values = np.random.default_rng(5).random(5_000)
    interval = mean_interval(values)
    assert interval.low < values.mean() < interval.high
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(5_000), rel=0.1)


def test_figures_are_rounded_for_reading():
    assert Interval(1 / 3, None, 2 / 3).as_dict() == {"mean": 0.3333, "low": None, "high": 0.6667}

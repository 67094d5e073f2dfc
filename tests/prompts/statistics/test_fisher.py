"""Fisher's p is that of all tables, Newcombe's interval what he published."""

import json
from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest

from prompts.statistics.errors import InvalidCounts, InvalidLevel
from prompts.statistics.fisher import difference_interval, fisher_exact, hypergeometric_p


def test_p_is_that_of_all_tables() -> None:
    for n_a, n_b in product(range(1, 8), range(1, 10)):
        for a, b in product(range(n_a + 1), range(n_b + 1)):
            won = a + b
            ways = {x: comb(n_a, x) * comb(n_b, won - x) for x in range(max(0, won - n_b), min(n_a, won) + 1)}
            exact = Fraction(sum(way for way in ways.values() if way <= ways[a]), sum(ways.values()))
            assert hypergeometric_p(a, n_a, b, n_b) == pytest.approx(float(exact), rel=1e-12), (
                a,
                n_a,
                b,
                n_b,
            )


def test_published_tables() -> None:
    """Fisher's lady tasting tea, and his criminal twins as in the manual of R's fisher.test."""
    assert fisher_exact(3, 4, 1, 4).p == pytest.approx(0.4857, abs=5e-5)
    assert fisher_exact(10, 13, 2, 17).p == pytest.approx(0.0005367, abs=5e-8)


# Newcombe, "Interval estimation for the difference between independent proportions", 1998, table II.
@pytest.mark.parametrize(
    ("first", "second", "interval"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_published_intervals(
    first: tuple[int, int], second: tuple[int, int], interval: tuple[float, float]
) -> None:
    assert difference_interval(*second, *first) == pytest.approx(interval, abs=5e-5)
    low, high = difference_interval(*first, *second)
    assert (-high, -low) == pytest.approx(interval, abs=5e-5)


def test_intervals_cover_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(1)
    won = random.binomial(60, [0.6, 0.75], (2_000, 2))
    intervals = [difference_interval(int(a), 60, int(b), 60) for a, b in won]
    assert np.mean([low <= 0.15 <= high for low, high in intervals]) == pytest.approx(0.95, abs=0.015)


def test_the_difference_is_second_minus_first() -> None:
    result = fisher_exact(10, 100, 30, 100)
    assert (result.rate_a, result.rate_b) == (0.1, 0.3)
    assert result.estimate == pytest.approx(0.2)
    assert 0 < result.low < 0.2 < result.high
    assert json.loads(json.dumps(result.as_json()))["p"] == result.p < 0.001


def test_a_million_subjects_an_arm() -> None:
    """As the normal distribution has it: z = 1.4132 with the correction for continuity."""
    assert fisher_exact(500_000, 10**6, 501_000, 10**6).p == pytest.approx(0.15771, abs=2e-4)
    worst = fisher_exact(0, 10**6, 10**6, 10**6)
    assert 0 < worst.p < 1e-300


def test_nothing_and_everything_won() -> None:
    assert fisher_exact(0, 5, 0, 9).p == fisher_exact(5, 5, 9, 9).p == 1
    assert fisher_exact(0, 1, 1, 1).p == 1


def test_wrong_counts_are_named() -> None:
    with pytest.raises(InvalidCounts, match=r"n_b: expected a whole number of at least 1, got 0\."):
        fisher_exact(1, 2, 0, 0)
    with pytest.raises(InvalidCounts, match=r"successes_a: expected a whole number from 0 to 2, got 3\."):
        fisher_exact(3, 2, 0, 1)
    with pytest.raises(InvalidLevel, match="confidence"):
        fisher_exact(1, 2, 0, 1, confidence=0)

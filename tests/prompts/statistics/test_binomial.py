"""Tails are what adding up gives, and intervals what was published."""

from fractions import Fraction
from math import comb

import pytest

from prompts.statistics.binomial import at_least, at_most, lower_bound, wilson
from prompts.statistics.errors import InvalidCounts, InvalidLevel


def upper_tail(k: int, n: int, p: Fraction) -> Fraction:
    return sum((comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(max(k, 0), n + 1)), Fraction(0))


@pytest.mark.parametrize("p", [Fraction(1, 2), Fraction(1, 7), Fraction(19, 20), Fraction(1, 1000)])
def test_tails_are_sums(p: Fraction) -> None:
    for n in range(1, 14):
        for k in range(-1, n + 2):
            exact = upper_tail(k, n, p)
            assert at_least(k, n, float(p)) == pytest.approx(float(exact), rel=1e-12)
            assert at_most(k - 1, n, float(p)) == pytest.approx(float(1 - exact), rel=1e-11)


def test_tails_of_certain_events() -> None:
    assert (at_least(1, 3, 0.0), at_least(3, 3, 1.0), at_most(0, 3, 0.0), at_most(2, 3, 1.0)) == (0, 1, 1, 0)


def test_tails_stay_exact_for_large_n() -> None:
    n, k = 20_000, 9_700
    term = total = 1
    for j in range(1, k + 1):
        term = term * (n - j + 1) // j
        total += term
    assert at_most(k, n, 0.5) == pytest.approx(float(Fraction(total, 2**n)), rel=1e-9)


def test_far_tails_do_not_round_to_nothing() -> None:
    assert at_least(1_000, 1_000, 0.5) == pytest.approx(2.0**-1000, rel=1e-9)
    assert at_most(499_000, 1_000_000, 0.5) == pytest.approx(0.0228066, rel=1e-3)  # Φ(−1.999)


def interval(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Of Clopper and Pearson: a bound on either side."""
    tail = (1 - confidence) / 2
    return lower_bound(successes, n, tail), 1 - lower_bound(n - successes, n, tail)


# Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, methods 5 and 3.
@pytest.mark.parametrize(
    ("successes", "n", "exact", "score"),
    [
        (81, 263, (0.2527, 0.3676), (0.2553, 0.3662)),
        (15, 148, (0.0578, 0.1617), (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1684), (0.0, 0.1611)),
        (1, 29, (0.0009, 0.1776), (0.0061, 0.1718)),
    ],
)
def test_published_intervals(
    successes: int, n: int, exact: tuple[float, float], score: tuple[float, float]
) -> None:
    assert interval(successes, n) == pytest.approx(exact, abs=5e-5)
    assert wilson(successes, n) == pytest.approx(score, abs=5e-5)
    low, high = interval(n - successes, n)
    assert (1 - high, 1 - low) == pytest.approx(exact, abs=5e-5)


@pytest.mark.parametrize("tail", [0.5, 0.025, 1e-6])
@pytest.mark.parametrize("n", [1, 2, 9, 40, 1_000, 1_000_000])
def test_a_bound_is_where_the_tail_is_reached(n: int, tail: float) -> None:
    for k in {1, n // 3, n // 2, n - 1, n} - {0}:
        assert at_least(k, n, lower_bound(k, n, tail)) == pytest.approx(tail, rel=1e-6)
    assert lower_bound(0, n, tail) == 0


def test_exact_intervals_cover() -> None:
    n = 15
    intervals = [interval(k, n, 0.9) for k in range(n + 1)]
    for step in range(1, 100):
        p = Fraction(step, 100)
        held = [k for k, (low, high) in enumerate(intervals) if low <= p <= high]
        assert sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in held) >= Fraction(9, 10)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(InvalidCounts, match=r"n: expected a whole number of at least 1, got 0\."):
        wilson(0, 0)
    with pytest.raises(InvalidCounts, match=r"successes: expected a whole number from 0 to 5, got 6\."):
        wilson(6, 5)
    with pytest.raises(InvalidCounts, match="successes"):
        wilson(1.5, 5)  # type: ignore[arg-type]
    with pytest.raises(InvalidCounts, match=r"n: expected a whole number of at least 1, got inf\."):
        wilson(1, float("inf"))  # type: ignore[arg-type]
    with pytest.raises(InvalidLevel, match="confidence: expected a number above 0 and below 1, got 95"):
        wilson(1, 2, 95)

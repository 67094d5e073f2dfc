"""McNemar's p is the sign test's, and its interval says the same and covers."""

from fractions import Fraction
from itertools import product
from math import comb, factorial, nextafter

import pytest

from prompts.statistics.mcnemar import difference_interval, mcnemar


def test_p_is_that_of_all_outcomes() -> None:
    for wins, losses in product(range(13), repeat=2):
        n = wins + losses
        extreme = sum(comb(n, k) for k in range(min(wins, losses) + 1))
        assert mcnemar(wins, losses) == pytest.approx(float(min(1, Fraction(2 * extreme, 2**n))), rel=1e-12)


def test_p_of_ten_against_two() -> None:
    """By hand: 2 · (1 + 12 + 66) / 4096."""
    assert mcnemar(10, 2) == mcnemar(2, 10) == pytest.approx(158 / 4096)


def test_ties_alone_say_nothing() -> None:
    assert mcnemar(0, 0) == 1


def test_the_interval_leaves_zero_out_where_p_is_small() -> None:
    for wins, losses in product(range(61), repeat=2):
        if wins < losses:
            continue
        n = max(1, wins + losses + (wins * 7 + losses) % 40)
        low, high = difference_interval(wins, losses, n)
        assert (low > 0) == (mcnemar(wins, losses) < 1 - 0.95), (wins, losses, n)
        assert -1 <= low <= (wins - losses) / n <= high <= 1
        if (wins + losses) % 9 == 0:
            assert difference_interval(losses, wins, n) == pytest.approx((-high, -low), abs=1e-12)


@pytest.mark.parametrize("confidence", [0.8, 1 - 2 * 0.5**9, nextafter(1 - 2 * 0.5**9, 0)])
def test_they_agree_at_any_level_even_one_that_is_met(confidence: float) -> None:
    for wins, losses in product(range(16), repeat=2):
        low, high = difference_interval(wins, losses, 40, confidence)
        assert (low > 0 or high < 0) == (mcnemar(wins, losses) < 1 - confidence), (wins, losses)


def test_without_ties_it_is_the_exact_interval_of_the_share_or_wider() -> None:
    """Clopper and Pearson for 9 of 10: 0.5550 to 0.9975 (table of Diem and Lentner, 1970)."""
    low, high = difference_interval(9, 1, 10)
    assert low <= 2 * 0.5550 - 1 + 1e-4
    assert high == pytest.approx(2 * 0.9975 - 1, abs=1e-4)


def test_without_items_that_differ_it_shows_how_many_may() -> None:
    """No such item among n: up to 1 − 0.025^(1/n) of all may be, and all of them may be won or lost."""
    assert difference_interval(0, 0, 5) == pytest.approx((-(1 - 0.025**0.2), 1 - 0.025**0.2))
    assert difference_interval(0, 0, 1_000)[1] == pytest.approx(0.00368, abs=1e-5)


@pytest.mark.parametrize("n", [10, 25])
def test_it_covers_at_least_as_often_as_it_says(n: int) -> None:
    intervals = {
        (wins, losses): difference_interval(wins, losses, n)
        for wins, losses in product(range(n + 1), repeat=2)
        if wins + losses <= n
    }
    for differing, won in product((0.02, 0.1, 0.3, 0.7, 1.0), (0.0, 0.25, 0.5, 0.9)):
        truth, covered = differing * (2 * won - 1), 0.0
        for (wins, losses), (low, high) in intervals.items():
            ties = n - wins - losses
            ways = factorial(n) // (factorial(wins) * factorial(losses) * factorial(ties))
            chance = (differing * won) ** wins * (differing * (1 - won)) ** losses * (1 - differing) ** ties
            covered += ways * chance * (low - 1e-12 <= truth <= high + 1e-12)
        assert covered >= 0.95, (differing, won)


def test_a_million_items() -> None:
    assert mcnemar(200_000, 201_000) == pytest.approx(0.11466, abs=1e-4)
    low, high = difference_interval(200_000, 201_000, 1_000_000)
    assert (low, high) == pytest.approx((-0.00224, 0.00024), abs=1e-5)

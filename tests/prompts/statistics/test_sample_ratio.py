"""Subjects by arm against the weights."""

import json
from fractions import Fraction
from math import comb

import numpy as np
import pytest

from prompts.statistics.errors import InvalidCounts, InvalidWeights
from prompts.statistics.sample_ratio import binomial_p, chi_square_p, sample_ratio


@pytest.mark.parametrize("weights", [(1, 1), (9, 1), (1, 2)])
def test_two_arms_are_exact(weights: tuple[int, int]) -> None:
    share = Fraction(weights[0], sum(weights))
    for n in range(15):
        chances = [comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
        for k in range(n + 1):
            exact = sum(chance for chance in chances if chance <= chances[k])
            result = sample_ratio((k, n - k), weights)
            assert result.p == pytest.approx(float(exact), rel=1e-12)
            assert (result.test, result.n) == ("binomial", n)


# Abramowitz and Stegun, table 26.8: the 5 and 0.1 % points.
@pytest.mark.parametrize(
    ("degrees", "five", "tenth"),
    [(1, 3.84146, 10.828), (2, 5.99146, 13.816), (3, 7.81473, 16.266), (10, 18.3070, 29.588)],
)
def test_published_points_of_chi_square(degrees: int, five: float, tenth: float) -> None:
    assert chi_square_p(five, degrees) == pytest.approx(0.05, abs=1e-5)
    assert chi_square_p(tenth, degrees) == pytest.approx(0.001, abs=1e-6)
    assert chi_square_p(0, degrees) == 1


def test_many_subjects_of_three_arms_go_to_chi_square() -> None:
    """By hand: deviations of 10, −10 and 0 from 100 each, so 2."""
    result = sample_ratio((110, 90, 100), (1, 1, 1))
    assert result.test == "chi-square"
    assert result.p == pytest.approx(float(np.exp(-1)))
    assert result.expected == pytest.approx((100, 100, 100))


def test_few_subjects_of_three_arms_stay_exact() -> None:
    result = sample_ratio((8, 0, 0), (1, 1, 1))
    assert result.test == "binomials"
    assert result.p == pytest.approx(3 * binomial_p(8, 8, 1 / 3))


def test_healthy_experiments_raise_no_alarm_and_broken_ones_do() -> None:
    random = np.random.default_rng(1)
    shares = np.array([0.5, 0.3, 0.2])
    ps = [sample_ratio(random.multinomial(2_000, shares), (5, 3, 2)).p for _ in range(2_000)]
    assert np.mean(np.array(ps) < 0.05) == pytest.approx(0.05, abs=0.015)
    assert sample_ratio((5_300, 4_700), (1, 1)).p < 1e-8
    assert sample_ratio((5_300, 4_700), (1, 1)).p_always < 1e-4


def test_one_may_look_at_p_always_all_the_time() -> None:
    random = np.random.default_rng(2)
    first = np.cumsum(random.random((200, 1_000)) < 0.9, axis=1)[:, 9::10]
    looks = [
        [sample_ratio((int(k), 10 * at - int(k)), (9, 1)) for at, k in enumerate(row, start=1)]
        for row in first
    ]
    assert np.mean([min(one.p_always for one in row) <= 0.05 for row in looks]) <= 0.05
    assert np.mean([min(one.p for one in row) <= 0.05 for row in looks]) > 0.2


def test_no_subjects_fit_all_weights() -> None:
    result = sample_ratio((0, 0), (1, 1))
    assert (result.p, result.p_always) == (1, 1)
    assert json.loads(json.dumps(result.as_json()))["expected"] == [0, 0]


def test_a_thousand_million_subjects() -> None:
    """One standard deviation, 15,811, off: two-sided 0.3173."""
    assert sample_ratio((500_015_811, 499_984_189), (1, 1)).p == pytest.approx(0.3173, abs=1e-3)
    assert 0 < sample_ratio((10**9, 0), (1, 1)).p < 1e-300


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(
        InvalidCounts, match=r"exposures\[1\]: expected a whole number of at least 0, got 1.5"
    ):
        sample_ratio((1, 1.5), (1, 1))  # type: ignore[arg-type]
    with pytest.raises(InvalidCounts, match="exposures: expected one count for each of 2 arms, got 3"):
        sample_ratio((1, 2, 3), (1, 1))
    with pytest.raises(InvalidWeights, match=r"weights\[0\]: expected a number above 0, got 0"):
        sample_ratio((1, 2), (0, 1))
    with pytest.raises(InvalidWeights, match="weights: expected two or more, got 1"):
        sample_ratio((1,), (1,))

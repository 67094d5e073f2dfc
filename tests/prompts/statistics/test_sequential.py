"""The sequential test: exact where it says so, and right however often one looks."""

import json
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt
import pytest

from prompts.statistics.effect import rate_interval
from prompts.statistics.errors import InvalidCounts, InvalidLevel, InvalidWeights
from prompts.statistics.fisher import hypergeometric_p
from prompts.statistics.holm import holm
from prompts.statistics.sequential import log_e_value, sequential_test

from .streams import Counts, log_e_values, streams

ALPHA = 0.05


def exact_e(
    successes: Sequence[int], failures: Sequence[int], weights: Sequence[int], kappa: int
) -> Fraction:
    """E as what a gambler owns, bet by bet: Dirichlet predictions over the odds, in fractions."""
    total, value = sum(weights), Fraction(1)
    for counts in (successes, failures):
        seen = [0] * len(weights)
        for arm in (arm for arm, count in enumerate(counts) for _ in range(count)):
            share = Fraction(weights[arm], total)
            value *= (kappa * share + seen[arm]) / (kappa + sum(seen)) / share
            seen[arm] += 1
    return value


@pytest.mark.parametrize("weights", [(1, 1), (9, 1), (2, 1, 1)])
def test_the_closed_form_is_what_betting_gives(weights: tuple[int, ...]) -> None:
    random = np.random.default_rng(1)
    for _ in range(30):
        successes, failures = random.integers(0, 40, (2, len(weights))).tolist()
        result = sequential_test(successes, failures, weights)
        assert result.e_value == pytest.approx(float(exact_e(successes, failures, weights, 100)), rel=1e-9)
        assert result.p == pytest.approx(min(1, 1 / result.e_value))


@pytest.mark.parametrize("weights", [(1, 1), (3, 1), (2, 1, 1)])
def test_it_expects_to_keep_what_it_has(weights: tuple[int, ...]) -> None:
    """Over all assignments of these outcomes, E is 1 on average: exactly, at every time."""
    total = sum(weights)
    outcomes = (1, 0, 0, 1, 1)
    for n in range(1, len(outcomes) + 1):
        mean = Fraction(0)
        for arms in product(range(len(weights)), repeat=n):
            chance = math.prod((Fraction(weights[arm], total) for arm in arms), start=Fraction(1))
            counts = [
                [
                    sum(a == arm and y == won for a, y in zip(arms, outcomes, strict=False))
                    for arm in range(len(weights))
                ]
                for won in (1, 0)
            ]
            mean += chance * exact_e(counts[0], counts[1], weights, 8)
        assert mean == 1


def test_outcomes_between_expect_no_more() -> None:
    """The mean of E over all outcomes of equal means and all assignments, by enumeration, is at most 1."""
    for values, chances in [((0.0, 0.5, 1.0), (0.3, 0.4, 0.3)), ((0.25, 0.75), (0.5, 0.5))]:
        for other, others in [(values, chances), ((0.0, 1.0), (0.5, 0.5))]:
            mean = 0.0
            drawn = [(0, y, 0.5 * p) for y, p in zip(values, chances, strict=True)]
            drawn += [(1, y, 0.5 * p) for y, p in zip(other, others, strict=True)]
            for subjects in product(drawn, repeat=4):
                won = [sum(y for arm, y, _ in subjects if arm == a) for a in (0, 1)]
                lost = [sum(1 - y for arm, y, _ in subjects if arm == a) for a in (0, 1)]
                chance = math.prod(p for _, _, p in subjects)
                mean += chance * math.exp(log_e_value((won, lost), (0.5, 0.5), kappa=2))
            assert 0.5 < mean <= 1 + 1e-12


def test_tables_of_these_tests_give_what_the_function_gives() -> None:
    random = np.random.default_rng(2)
    counts = streams(random, (3, 400), (0.3, 0.5, 0.4), (5, 3, 2))
    values = log_e_values(counts, (5, 3, 2))
    for experiment, subject in product(range(3), (0, 7, 399)):
        won, lost = counts[experiment, subject].tolist()
        assert values[experiment, subject] == pytest.approx(
            log_e_value((won, lost), (0.5, 0.3, 0.2)), abs=1e-9
        )


@pytest.mark.parametrize("weights", [(1, 1), (9, 1), (1, 1, 1)], ids=str)
@pytest.mark.parametrize("rate", [0.05, 0.5, 0.9])
def test_looking_after_every_subject_raises_no_more_alarms(rate: float, weights: tuple[int, ...]) -> None:
    random = np.random.default_rng(3)
    counts = streams(random, (500, 2_000), [rate] * len(weights), weights)
    alarms = np.mean(log_e_values(counts, weights).max(axis=1) >= -math.log(ALPHA))
    # 0.05 and three standard errors of 500 experiments.
    assert alarms <= ALPHA + 0.03
    assert family_alarms(counts, weights).mean() <= ALPHA + 0.03


def family_alarms(counts: Counts, weights: Sequence[int]) -> npt.NDArray[np.bool_]:
    """In which experiments did any arm differ from the control at any time, by Holm?

    The least p alarms by Holm where it is no more than alpha over the number of arms.
    """
    least = -math.log(ALPHA / (len(weights) - 1))
    pairs = [
        log_e_values(counts[..., [0, arm]], (weights[0], weights[arm])) for arm in range(1, len(weights))
    ]
    return np.max(pairs, axis=(0, 2)) >= least


def test_looking_with_fishers_test_raises_many() -> None:
    """The same streams: who stops at the first p below 0.05 of a test for one look errs far more often."""
    counts = streams(np.random.default_rng(3), (150, 2_000), [0.5, 0.5], (1, 1))
    alarms = [
        any(
            hypergeometric_p(won[0], won[0] + lost[0], won[1], won[1] + lost[1]) < ALPHA
            for won, lost in experiment[19::20].tolist()
        )
        for experiment in counts
    ]
    assert np.mean(alarms) > 0.2


def test_it_stops_where_arms_differ() -> None:
    counts = streams(np.random.default_rng(4), (300, 4_000), [0.6, 0.7], (1, 1))
    stopped = np.maximum.accumulate(log_e_values(counts, (1, 1)), axis=1) >= -math.log(ALPHA)
    assert stopped[:, 1_999].mean() > 0.9
    assert stopped[:, 3_999].mean() > 0.99
    # On average after fewer than a test of fixed size needs for 90 %, 477 an arm.
    assert 700 < (4_000 - stopped.sum(axis=1)).mean() < 1_000


def looks(rates: Sequence[float], weights: Sequence[int], seed: int) -> Iterator[list[list[list[int]]]]:
    counts = streams(np.random.default_rng(seed), (60, 2_000), rates, weights)
    yield from counts[:, 49::250].tolist()


@pytest.mark.parametrize(
    ("rates", "weights"),
    [((0.6, 0.7), (1, 1)), ((0.05, 0.05), (1, 1)), ((0.95, 0.6), (9, 1)), ((0.2, 0.25, 0.4), (2, 1, 1))],
    ids=str,
)
def test_intervals_hold_at_all_looks_at_once(rates: tuple[float, ...], weights: tuple[int, ...]) -> None:
    held = []
    for experiment in looks(rates, weights, 5):
        arms = [arm for won, lost in experiment for arm in sequential_test(won, lost, weights).arms]
        held.append(
            all(
                arm.low is not None
                and arm.high is not None
                and arm.low <= rates[arm.arm] - rates[0] <= arm.high
                for arm in arms
            )
        )
    assert np.mean(held) >= 0.95


def test_an_interval_excludes_zero_a_little_after_the_test_stops() -> None:
    for rates, seed in [((0.5, 0.6), 6), ((0.9, 0.8), 7)]:
        for experiment in list(looks(rates, (1, 1), seed))[:40]:
            for won, lost in experiment:
                result = sequential_test(won, lost, (1, 1))
                (arm,) = result.arms
                assert arm.low is not None
                assert arm.high is not None
                assert (arm.low > 0 or arm.high < 0) == (result.e_value >= 1 / (0.9 * ALPHA))
                assert arm.estimate is not None
                assert arm.low <= arm.estimate <= arm.high


def test_intervals_get_narrow() -> None:
    widths = []
    for n in (10, 100, 1_000, 10_000, 100_000, 1_000_000):
        (arm,) = sequential_test((0.5 * n, 0.6 * n), (0.5 * n, 0.4 * n), (1, 1)).arms
        assert arm.low is not None
        assert arm.high is not None
        widths.append(arm.high - arm.low)
    assert all(after < before for before, after in pairwise(widths))
    # About 2.5 times as wide as for one look at the end, which is what looking at all times costs.
    assert widths[3] == pytest.approx(2.1 * 2 * 1.96 * math.sqrt(0.49 / 10_000), rel=0.2)


def test_the_rate_of_all_is_bounded() -> None:
    low, high = rate_interval(300, 700, 0.05)
    assert 0.2 < low < 0.3 < high < 0.4
    assert rate_interval(0, 0, 0.05) == (0, 1)
    assert rate_interval(0, 50, 0.05)[0] == pytest.approx(0)
    assert rate_interval(50, 0, 0.05)[1] == pytest.approx(1)


def test_nothing_is_known_before_the_first_outcome() -> None:
    result = sequential_test((0, 0), (0, 0), (9, 1))
    (arm,) = result.arms
    assert (result.n, result.e_value, result.p, result.stop) == (0, 1, 1, False)
    assert arm.estimate is None
    assert (arm.low, arm.high) == pytest.approx((-1, 1))


def test_arms_are_compared_with_the_control() -> None:
    successes, failures, weights = (300, 420, 310), (200, 80, 190), (1, 1, 1)
    result = sequential_test(successes, failures, weights)
    assert [arm.arm for arm in result.arms] == [1, 2]
    two = sequential_test((300, 420), (200, 80), (1, 1))
    assert result.arms[0].p == two.p
    assert [arm.p_adjusted for arm in result.arms] == holm([arm.p for arm in result.arms])
    assert result.arms[0].p_adjusted < ALPHA < result.arms[1].p_adjusted
    turned = sequential_test(successes, failures, weights, control=1)
    assert [arm.arm for arm in turned.arms] == [0, 2]
    assert turned.arms[0].p == pytest.approx(two.p)
    assert turned.arms[0].estimate == pytest.approx(-0.24)


def test_a_certain_difference_is_no_error() -> None:
    result = sequential_test((10**6, 0), (0, 10**6), (1, 1))
    assert result.stop
    assert 0 < result.p < 1e-300
    assert math.isfinite(result.e_value)
    (arm,) = result.arms
    assert arm.low == pytest.approx(-1)


@pytest.mark.parametrize("weights", [(1, 1), (7, 3), (1, 99)])
def test_an_estimate_of_everything_lies_within_its_interval(weights: tuple[int, int]) -> None:
    first, second = (31 * weight for weight in weights)
    for successes, failures, sign in (((0, second), (first, 0), 1), ((first, 0), (0, second), -1)):
        (arm,) = sequential_test(successes, failures, weights).arms
        assert arm.estimate == sign
        assert arm.low - 1e-6 <= arm.estimate <= arm.high + 1e-6


def test_lost_outcomes_are_told_apart() -> None:
    """Equal rates, but one arm's outcomes arrive three times as often as they should."""
    result = sequential_test((900, 300), (100, 33), (1, 1))
    assert result.stop
    assert result.p_weights < 1e-9
    assert result.arms[0].low is result.arms[0].high is None
    assert sequential_test((500, 600), (500, 400), (1, 1)).p_weights > 0.5


def test_it_can_be_written_as_json() -> None:
    result = json.loads(json.dumps(sequential_test((5, 6), (1, 2), (1, 1)).as_json()))
    assert result["n"] == 14
    assert set(result["arms"][0]) == {"arm", "e_value", "p", "p_adjusted", "estimate", "low", "high"}


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(InvalidCounts, match=r"successes\[0\]: expected a number of at least 0, got -1"):
        sequential_test((-1, 0), (0, 0), (1, 1))
    with pytest.raises(InvalidCounts, match=r"failures\[1\]: expected a number of at least 0, got nan"):
        sequential_test((1, 0), (0, float("nan")), (1, 1))
    with pytest.raises(InvalidCounts, match="failures: expected one count for each of 2 arms, got 1"):
        sequential_test((1, 0), (0,), (1, 1))
    with pytest.raises(InvalidCounts, match="control: expected an arm from 0 to 1, got 2"):
        sequential_test((1, 0), (0, 0), (1, 1), control=2)
    with pytest.raises(InvalidWeights, match=r"weights\[1\]: expected a number above 0, got 0"):
        sequential_test((1, 0), (0, 0), (1, 0))
    with pytest.raises(InvalidLevel, match="alpha: expected a number above 0 and below 1, got 5"):
        sequential_test((1, 0), (0, 0), (1, 1), alpha=5)

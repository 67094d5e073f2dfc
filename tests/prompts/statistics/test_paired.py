"""A comparison on the same items: which test, what it says, and how often it errs."""

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest

from prompts.statistics.bootstrap import mean_test
from prompts.statistics.errors import InvalidFigures, InvalidLevel, InvalidScores
from prompts.statistics.mcnemar import difference_interval, mcnemar
from prompts.statistics.paired import PairedTest, paired_test


def test_right_and_wrong_answers_go_to_mcnemar() -> None:
    old, new = [0] * 12 + [1] * 8, [1] * 10 + [0] * 4 + [1] * 6
    result = paired_test(old, new)
    low, high = difference_interval(10, 2, 20)
    assert result == PairedTest("mcnemar", 20, mcnemar(10, 2), 0.4, low, high, 10, 2, 8)
    assert result.is_better
    assert not result.is_worse
    assert result.ci == (low, high)
    assert paired_test(new, old).is_worse


def test_truth_values_are_right_and_wrong_answers() -> None:
    assert paired_test(np.array([True, False]), np.array([True, True])).test == "mcnemar"


def test_a_single_share_goes_to_the_bootstrap() -> None:
    assert paired_test([0, 1, 1], [0, 1, 0.5]).test == "bootstrap"
    assert paired_test([0, 1, 0.5], [0, 1, 1]).test == "bootstrap"


def test_the_same_scores_give_the_same_figures() -> None:
    random = np.random.default_rng(1)
    old, new = random.random(60), random.random(60)
    assert paired_test(old, new) == paired_test(list(old), list(new))


def test_order_of_items_does_not_matter() -> None:
    random = np.random.default_rng(2)
    old, new = random.choice([0, 0.25, 0.5, 1], 60), random.choice([0, 0.25, 0.5, 1], 60)
    turned = paired_test(old[::-1], new[::-1])
    assert turned.p == paired_test(old, new).p


def test_old_and_new_change_places() -> None:
    random = np.random.default_rng(3)
    old, new = random.random(80), random.random(80)
    there, back = paired_test(old, new), paired_test(new, old)
    assert back.estimate == pytest.approx(-there.estimate)
    assert (back.wins, back.losses) == (there.losses, there.wins)
    # Other resamples of the same distribution.
    assert back.p == pytest.approx(there.p, abs=0.02)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=0.01)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_interval_and_p_say_the_same(confidence: float) -> None:
    random = np.random.default_rng(4)
    seen = set()
    for _ in range(150):
        n = int(random.integers(1, 60))
        shift = random.choice([0.0, 0.1, 0.25])
        old = random.choice([0, 0.25, 0.5, 0.75], n)
        new = np.clip(old + random.choice([0, shift, -0.25, 0.25], n, p=[0.5, 0.3, 0.1, 0.1]), 0, 1)
        result = paired_test(old, new, confidence=confidence)
        excluded = result.low > 0 or result.high < 0
        assert excluded == (result.p < 1 - confidence)
        assert -1 <= result.low <= result.estimate <= result.high <= 1
        seen.add((result.test, excluded))
    assert {("bootstrap", True), ("bootstrap", False)} <= seen


def test_it_is_the_normal_interval_where_that_is_right() -> None:
    random = np.random.default_rng(5)
    old = random.random(3_000) * 0.5
    new = old + random.random(3_000) * 0.4 - 0.195
    new, old = new + 0.2, old + 0.2
    result = paired_test(old, new)
    error = (new - old).std() / np.sqrt(3_000)
    assert result.low == pytest.approx(result.estimate - 1.96 * error, abs=0.1 * error)
    assert result.high == pytest.approx(result.estimate + 1.96 * error, abs=0.1 * error)


def test_six_items_must_differ_to_say_anything() -> None:
    """As in McNemar's test: 2 · ½⁵ is no less than 0.05, 2 · ½⁶ is."""
    old = np.full(20, 0.5)
    five, six = old.copy(), old.copy()
    five[:5], six[:6] = 0.9, 0.9
    assert paired_test(old, five).p >= 2**-4
    assert paired_test(old, five).low < 0
    assert 2**-5 <= paired_test(old, six).p < 0.05


def test_one_item_says_nothing() -> None:
    assert paired_test([0.5], [0.6]) == PairedTest("bootstrap", 1, 1.0, 0.6 - 0.5, -1.0, 1.0, 1, 0, 0)
    one = paired_test([0], [1])
    assert (one.test, one.p, one.estimate) == ("mcnemar", 1.0, 1.0)
    assert one.low < 0 < one.high


@pytest.mark.parametrize("score", [0.5, 1.0])
def test_ties_alone_are_no_difference_but_no_proof_of_none(score: float) -> None:
    result = paired_test([score] * 30, [score] * 30)
    assert (result.p, result.estimate, result.ties) == (1.0, 0.0, 30)
    assert result.high == -result.low == pytest.approx(1 - 0.025 ** (1 / 30))


def test_the_same_gain_on_all_items_is_certain_where_there_are_enough() -> None:
    assert paired_test([0.5] * 3, [0.6] * 3).p == 0.25
    result = paired_test([0.5] * 12, [0.6] * 12)
    assert result.p == pytest.approx(2.0**-11)
    assert result.low == result.high == pytest.approx(0.1)


def test_rounding_is_a_tie() -> None:
    result = paired_test([0.1 + 0.2, 0.5], [0.3, 0.5])
    assert (result.ties, result.p) == (2, 1.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ([], [], r"old: expected at least one score, got none\."),
        ([0, 1], [0], r"new: expected as many scores as old, 2, got 1\."),
        ([0, np.nan], [0, 1], r"old\[1\]: expected a number from 0 to 1, got nan\."),
        ([0, 1], [0, 1.5], r"new\[1\]: expected a number from 0 to 1, got 1\.5\."),
        ([-0.1], [0], r"old\[0\]: expected a number from 0 to 1, got -0\.1\."),
        ([0], [np.inf], r"new\[0\]: expected a number from 0 to 1, got inf\."),
        ([[0, 1]], [0, 1], r"old: expected one score for each item, got 2 axes\."),
        (["good"], [1], r"old: expected numbers from 0 to 1, got \['good'\]\."),
    ],
)
def test_wrong_scores_are_named(old: Any, new: Any, message: str) -> None:
    with pytest.raises(InvalidScores, match=message):
        paired_test(old, new)


def test_a_wrong_level_is_named() -> None:
    with pytest.raises(InvalidLevel, match="confidence"):
        paired_test([0], [1], confidence=1)
    assert issubclass(InvalidFigures, ValueError)


def test_it_can_be_written_as_json() -> None:
    result = json.loads(json.dumps(paired_test([0, 0.5, 1], [1, 0.5, 1]).as_json()))
    assert set(result) == {"test", "n", "p", "estimate", "ci", "confidence", "wins", "losses", "ties"}
    assert (result["n"], result["wins"], result["losses"], result["ties"]) == (3, 1, 0, 2)
    assert len(result["ci"]) == 2


@pytest.mark.parametrize(
    ("values", "chances"),
    [
        ((0, -0.5, 0.5), (0.8, 0.1, 0.1)),
        ((0, -0.25, 0.25, -1, 1), (0.6, 0.15, 0.15, 0.05, 0.05)),
        ((0, 0.25, -0.5), (0.7, 0.2, 0.1)),
        ((0, 0.25, 0.5, -0.5), (0.8, 0.08, 0.04, 0.08)),
    ],
    ids=["mostly tied", "some far apart", "skewed", "skewed and mostly tied"],
)
def test_it_finds_nothing_where_there_is_nothing(values: Any, chances: Any) -> None:
    """The mean is 0: at 5 % the error rate stays within 6.5 %, at each n within Monte-Carlo error of that."""
    assert np.dot(values, chances) == pytest.approx(0)
    random = np.random.default_rng(6)
    for n in (20, 50, 200):
        ps = [mean_test(random.choice(values, n, p=chances), 0.95)[0] for _ in range(400)]
        assert np.mean(np.array(ps) < 0.05) <= 0.065 + 0.012, n


def test_it_finds_what_there_is() -> None:
    random = np.random.default_rng(7)
    draws = [random.choice([0, 0.25, -0.25], 200, p=[0.7, 0.2, 0.1]) for _ in range(100)]
    assert np.mean([mean_test(draw, 0.95)[0] < 0.05 for draw in draws]) > 0.6


def test_a_million_items_take_bounded_memory() -> None:
    random = np.random.default_rng(8)
    old = random.random(1_000_000)
    new = np.clip(old + random.normal(1e-4, 0.02, 1_000_000), 0, 1)
    error = (new - old).std() / 1_000
    tracemalloc.start()
    result = paired_test(old, new)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6
    assert result.high - result.low == pytest.approx(2 * 1.96 * error, rel=0.05)

"""Subjects keep their arms, evenly and exactly."""

import hashlib
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from prompts.statistics.assignment import choose, stable_share
from prompts.statistics.errors import InvalidSubject, InvalidWeights
from prompts.statistics.sample_ratio import chi_square_p


def test_a_share_is_what_the_documented_bytes_give() -> None:
    digest = hashlib.sha256(b"\0\0\0\0\0\0\0\1abc").hexdigest()
    assert stable_share("a", "bc") == int(digest[:16], 16) // 2048 / 2**53
    salted = "試験".encode()
    digest = hashlib.sha256(len(salted).to_bytes(8, "big") + salted + "葵".encode()).hexdigest()
    assert stable_share("試験", "葵") == int(digest[:16], 16) // 2048 / 2**53


def test_it_never_changes() -> None:
    """Worked out with printf and sha256sum."""
    assert stable_share("checkout", "user-1") == 0.46056743584657045


def test_salt_and_subject_do_not_run_into_each_other() -> None:
    joins = [("a", "bc"), ("ab", "c"), ("abc", ""), ("", "abc"), ("a\0", "bc"), ("a", "\0bc")]
    assert len({stable_share(*join) for join in joins}) == len(joins)


@pytest.mark.parametrize("salt", ["", "checkout", "2025-01"])
def test_shares_are_uniform(salt: str) -> None:
    shares = np.array([stable_share(salt, f"user-{number}") for number in range(20_000)])
    assert shares.min() >= 0
    assert shares.max() < 1
    counts, _ = np.histogram(shares, bins=100, range=(0, 1))
    assert 0.001 < chi_square_p(float(((counts - 200) ** 2 / 200).sum()), 99) < 0.999


def test_experiments_do_not_go_together() -> None:
    first = np.array([stable_share("one", str(number)) for number in range(20_000)])
    second = np.array([stable_share("two", str(number)) for number in range(20_000)])
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03


def test_arms_get_what_they_weigh() -> None:
    arms = [choose(stable_share("s", str(number)), (70, 20, 10)) for number in range(20_000)]
    assert np.bincount(arms) / 20_000 == pytest.approx([0.7, 0.2, 0.1], abs=0.012)


def test_bounds_are_exact() -> None:
    step = 2.0**-53
    assert [choose(share, (1, 1)) for share in (0.0, 0.5 - step, 0.5, 1 - step)] == [0, 0, 1, 1]
    third = int(Fraction(2**53, 3)) / 2**53  # the last share below a third
    assert (choose(third, (1, 2)), choose(third + step, (1, 2))) == (0, 1)


def test_an_arm_without_weight_gets_nobody() -> None:
    assert {choose(share, (0, 3, 0, 2, 0)) for share in np.linspace(0, 1, 500, endpoint=False)} == {1, 3}
    assert choose(0.0, (0, 1)) == 1
    assert choose(1 - 2.0**-53, (1, 0)) == 0


@pytest.mark.parametrize("arm", [0, 1, 2])
def test_only_those_who_must_change_when_a_neighbour_gives_way(arm: int) -> None:
    old = [40, 30, 20, 10]
    new = list(old)
    new[arm] += 7
    new[arm + 1] -= 7
    shares = [stable_share("s", str(number)) for number in range(10_000)]
    moved = [(choose(share, old), choose(share, new)) for share in shares]
    assert {pair for pair in moved if pair[0] != pair[1]} == {(arm + 1, arm)}
    assert np.mean([before != after for before, after in moved]) == pytest.approx(0.07, abs=0.01)


def test_a_rollout_keeps_everybody_it_has() -> None:
    shares = [stable_share("s", str(number)) for number in range(2_000)]
    reached = [
        {at for at, share in enumerate(shares) if choose(share, (percent, 100 - percent)) == 0}
        for percent in range(0, 101, 10)
    ]
    assert all(before <= after for before, after in pairwise(reached))
    assert (len(reached[0]), len(reached[-1])) == (0, 2_000)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(
        InvalidSubject, match="subject: expected Unicode text, got a lone surrogate at position 1"
    ):
        stable_share("s", "a\ud800")
    with pytest.raises(InvalidWeights, match=r"weights\[1\]: expected a whole number of at least 0, got -1"):
        choose(0.5, (1, -1))
    with pytest.raises(InvalidWeights, match=r"weights\[0\]: expected a whole number of at least 0, got 0.5"):
        choose(0.5, (0.5, 1))  # type: ignore[arg-type]
    with pytest.raises(InvalidWeights, match=r"weights: expected at least one above 0, got \[0, 0\]"):
        choose(0.5, (0, 0))
    with pytest.raises(InvalidWeights, match="at least one above 0"):
        choose(0.5, ())
    for share in (-0.1, 1.0, float("nan")):
        with pytest.raises(InvalidSubject, match="share: expected a number of at least 0 and below 1"):
            choose(share, (1, 1))

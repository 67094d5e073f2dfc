"""Several arms against one."""

import numpy as np
import pytest

from prompts.statistics.errors import InvalidLevel
from prompts.statistics.holm import holm


def test_it_is_worked_out_by_hand() -> None:
    """Ordered 0.005, 0.01, 0.03, 0.04, times 4, 3, 2, 1, and never less than the one before."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_one_test_is_left_alone_and_none_is_none() -> None:
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_nothing_exceeds_one() -> None:
    assert holm([0.9, 0.8, 1.0]) == [1, 1, 1]


def test_it_bounds_the_chance_of_any_false_alarm() -> None:
    ps = np.random.default_rng(1).random((4_000, 3))
    assert np.mean([min(holm(list(row))) <= 0.05 for row in ps]) <= 0.05 + 0.01


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_wrong_p_is_named(p: float) -> None:
    with pytest.raises(InvalidLevel, match=r"ps\[1\]: expected a number from 0 to 1"):
        holm([0.5, p])

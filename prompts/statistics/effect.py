"""How much better an arm is, as an interval that holds at all times at once.

Let p̄ be the rate of all subjects of two arms, δ the second's rate minus the first's, and w their weights,
which add up to 1. Then the first has the rate p̄ − w₂δ and the second p̄ + w₁δ, and a success is of the
second with probability θ₁ = w₂ (p̄ + w₁δ) / p̄, a failure with θ₀ = w₂ (1 − p̄ − w₁δ) / (1 − p̄). With θ in
place of w, E of `sequential` is a martingale where (p̄, δ) is the truth, so that it ever reaches 1 / (0.9 α)
with probability 0.9 α at most: what reaches it is left out. p̄ itself is bounded at level 0.1 α, by the
mixture of Beta(½, ½) over binomial likelihoods (Robbins, "Statistical methods related to the law of the
iterated logarithm", 1970). The interval is all δ that go with some p̄ within its bounds; outcomes between 0
and 1 are treated as there. It takes the rates to stay as they are, which the test does not.

For δ = 0 both θ are w whatever p̄ is. So the interval excludes 0 where E of the test reaches 1 / (0.9 α), a
little after the test stops, and never before.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Two = tuple[float, float]

# What part of the error rate the rate of all subjects gets, which matters little.
_PART: Final = 0.1
# Rates p̄ that are tried: with thirty times as many, bounds move by less than 1 % of the interval's width.
_GRID: Final = 51
_HALVINGS: Final = 40
_EDGE: Final = 1e-9


def always_valid_difference(
    successes: Two, failures: Two, weights: Two, *, log_e_value: float, alpha: float
) -> tuple[float | None, float | None]:
    """Bounds of the second arm's rate minus the first's, that hold at all times with probability 1 − `alpha`.

    `log_e_value` is the logarithm of E for these counts. Both are None where no rates fit the counts: the
    subjects were not assigned, or their outcomes not counted, by these weights.
    """
    first, second = weights
    lowest, highest = rate_interval(sum(successes), sum(failures), _PART * alpha)
    # Differences of -1 and 1 go with one rate each, which must not fall between two of the grid.
    extremes = [one for one in weights if lowest <= one <= highest]
    rate = np.clip([*np.linspace(lowest, highest, _GRID), *extremes], _EDGE, 1 - _EDGE)
    least = np.maximum(-rate / first, -(1 - rate) / second)
    most = np.minimum(rate / second, (1 - rate) / first)
    # Of each term of the likelihood: its count, and the slope s in 1 + s δ.
    terms = (
        (successes[0], -second / rate),
        (successes[1], first / rate),
        (failures[0], second / (1 - rate)),
        (failures[1], -first / (1 - rate)),
    )

    def slope(delta: Reals) -> Reals:
        with np.errstate(divide="ignore", invalid="ignore"):
            return -sum((n * s / np.maximum(1 + s * delta, 0) for n, s in terms if n), np.zeros(len(rate)))

    def is_kept(delta: Reals) -> npt.NDArray[np.bool_]:
        with np.errstate(divide="ignore"):
            likelihood = sum(
                (n * np.log(np.maximum(1 + s * delta, 0)) for n, s in terms if n), np.zeros(len(rate))
            )
        return log_e_value - likelihood < -math.log((1 - _PART) * alpha)

    # Convex in δ for each rate: its least value by the sign of the slope, the bounds on both sides of it.
    nearest = _halve(least, most, lambda delta: slope(delta) > 0)
    kept = is_kept(nearest)
    if not kept.any():
        return None, None
    low = _halve(nearest, least, lambda delta: ~is_kept(delta))
    high = _halve(nearest, most, lambda delta: ~is_kept(delta))
    return max(-1.0, float(low[kept].min())), min(1.0, float(high[kept].max()))


def rate_interval(successes: float, failures: float, alpha: float) -> tuple[float, float]:
    """Bounds of one rate that hold at all times with probability 1 − `alpha`."""
    n = successes + failures
    if n == 0:
        return 0.0, 1.0
    mixture = (
        math.lgamma(successes + 0.5) + math.lgamma(failures + 0.5) - math.lgamma(n + 1) - math.log(math.pi)
    )
    limit = mixture + math.log(alpha)

    def is_out(rate: Reals) -> npt.NDArray[np.bool_]:
        likelihood = np.zeros(1)
        with np.errstate(divide="ignore"):
            if successes:
                likelihood = likelihood + successes * np.log(rate)
            if failures:
                likelihood = likelihood + failures * np.log1p(-rate)
        return likelihood <= limit

    middle = np.array([successes / n])
    low, high = _halve(middle, np.zeros(1), is_out), _halve(middle, np.ones(1), is_out)
    return float(low[0]), float(high[0])


def _halve(inside: Reals, outside: Reals, is_beyond: Callable[[Reals], npt.NDArray[np.bool_]]) -> Reals:
    """Where, on the way from `inside` to `outside`, `is_beyond` begins to hold; `outside` where it never
    does."""
    near, far = inside.copy(), outside.copy()
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        beyond = is_beyond(middle)
        near, far = np.where(beyond, near, middle), np.where(beyond, middle, far)
    return far

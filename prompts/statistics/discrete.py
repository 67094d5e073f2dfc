"""Two-sided p of a count whose distribution has one peak, such as the binomial and the hypergeometric."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

# Probabilities that are equal but for rounding count as equal, as in R's fisher.test.
_TOLERANCE: Final = 1e-7
# Beyond so many standard deviations nothing is left that a double could hold.
_REACH: Final = 40
_LEAST_REACH: Final = 1_000


def two_sided(
    observed: int, support: tuple[int, int], mode: int, deviation: float, ratio: Callable[[Reals], Reals]
) -> float:
    """The probability of all values that are no likelier than `observed`.

    `support` is the least and the largest value, `mode` a likeliest one, `deviation` the standard deviation;
    `ratio` maps values x to P(x + 1) / P(x). Probabilities are products of ratios outwards from the mode,
    relative to it, so that neither factorials nor their logarithms appear: the relative error is about 1e-12
    at a million. A p below what a double holds is given as the least normal double, never as 0.
    """
    reach = int(_REACH * deviation) + _LEAST_REACH
    low, high = max(support[0], mode - reach), min(support[1], mode + reach)
    if not low <= observed <= high:
        return sys.float_info.min
    ratios = ratio(np.arange(low, high, dtype=np.float64))
    at = mode - low
    with np.errstate(under="ignore"):
        above = np.cumprod(ratios[at:])
        below = np.cumprod(1 / ratios[:at][::-1])[::-1]
    relative = np.concatenate([below, [1.0], above])
    no_likelier = relative[relative <= relative[observed - low] * (1 + _TOLERANCE)]
    return max(min(1.0, float(no_likelier.sum() / relative.sum())), sys.float_info.min)

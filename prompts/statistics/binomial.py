"""Tails of the binomial distribution, and intervals for one rate.

A tail is a regularised incomplete beta function, P(X ≥ k) = I_p(k, n − k + 1) (DLMF 8.17.5), evaluated by its
continued fraction (DLMF 8.17.22) in about √n steps. The factor before it comes from log-gamma, whose rounding
bounds the relative error: about 1e-13 at n = 100, below 1e-8 at n = 1,000,000.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

from .checks import check_level, check_successes

_NORMAL: Final = NormalDist()
_TINY: Final = 1e-300
_PRECISION: Final = 1e-15
_SMALL_STEP: Final = 1e-9
_MAX_STEPS: Final = 1_000_000
# At ½ a p may meet a level exactly, such as 2⁻⁸, and rounding would decide: up to here it is worked out in
# whole numbers.
_MAX_WHOLE: Final = 1_000


def at_least(k: int, n: int, p: float) -> float:
    """P(X ≥ k) for X ~ Bin(n, p), 0 ≤ p ≤ 1."""
    if k <= 0:
        return 1.0
    if k > n or p <= 0:
        return 0.0
    if p >= 1:
        return 1.0
    if p == 0.5 and n <= _MAX_WHOLE:
        return _tosses(n - k, n) / 2**n
    a, b = k, n - k + 1
    # The fraction converges fast on this side of the mean only; the other side is the complement.
    if p <= (a + 1) / (a + b + 2):
        return min(1.0, _factor(a, b, p) * _fraction(a, b, p) / a)
    return max(0.0, 1 - _factor(b, a, 1 - p) * _fraction(b, a, 1 - p) / b)


def at_most(k: int, n: int, p: float) -> float:
    """P(X ≤ k) for X ~ Bin(n, p), 0 ≤ p ≤ 1."""
    return at_least(n - k, n, 1 - p)


def lower_bound(k: int, n: int, tail: float) -> float:
    """The rate p at which P(X ≥ k) is `tail`: one-sided bound of Clopper and Pearson, 0 where k is 0.

    It lies above ½ exactly where ``at_least(k, n, 0.5) < tail``, so that an interval and a test at ½ that use
    one tail never contradict each other: ½ is the first rate to be tried.
    """
    if k == 0:
        return 0.0
    low, high, p = 0.0, 1.0, 0.5
    for _ in range(200):
        reached = at_least(k, n, p)
        if reached < tail:
            low = p
        else:
            high = p
        # Newton's step on the logarithm, which is concave and far from flat; halving where it leads astray.
        slope = _factor(k, n - k + 1, p) / (p * (1 - p))
        step = (math.log(tail / reached) * reached / slope) if reached > _TINY and slope > _TINY else math.inf
        nearer = p + step
        if not low < nearer < high:
            nearer = (low + high) / 2
        moved, p = abs(nearer - p), nearer
        # Newton's next step would be about the square of this one.
        if moved <= _SMALL_STEP * p:
            break
    # The bound itself is above `low`, if by less than the steps above tell apart.
    return min(max(p, math.nextafter(low, 1)), high)


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a rate, which covers about as often as `confidence` says.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927. Raises InvalidCounts
    and InvalidLevel.
    """
    check_level(confidence, "confidence")
    check_successes(successes, n)
    z = _NORMAL.inv_cdf((1 + confidence) / 2)
    rate, square = successes / n, z * z / n
    middle = rate + square / 2
    reach = z * math.sqrt(rate * (1 - rate) / n + square / (4 * n))
    # The bounds of 0 and n successes are 0 and 1 but for rounding.
    low = 0.0 if successes == 0 else (middle - reach) / (1 + square)
    high = 1.0 if successes == n else (middle + reach) / (1 + square)
    return low, high


def _tosses(k: int, n: int) -> int:
    """How many of all 2^n series of tosses have at most `k` heads."""
    term = total = 1
    for j in range(1, k + 1):
        term = term * (n - j + 1) // j
        total += term
    return total


def _factor(a: int, b: int, x: float) -> float:
    """x^a (1 − x)^b / B(a, b)."""
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return math.exp(a * math.log(x) + b * math.log1p(-x) - log_beta)


def _fraction(a: int, b: int, x: float) -> float:
    """The continued fraction of I_x(a, b), by the method of Lentz as Thompson and Barnett modified it."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MAX_STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away(1 + term * d)
            c = _away(1 + term / c)
            change = c * d
            value *= change
        if abs(change - 1) < _PRECISION:
            break
    return value


def _away(value: float) -> float:
    """`value`, kept away from zero."""
    return value if abs(value) > _TINY else _TINY

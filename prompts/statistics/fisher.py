"""Two rates of different subjects: Fisher's exact test and Newcombe's interval.

For one look at a number of subjects that was settled beforehand. Whoever looks again and again and stops when
p is small needs `sequential`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from .binomial import wilson
from .checks import check_level, check_successes
from .discrete import Reals, two_sided


@dataclass(frozen=True, slots=True)
class RatesTest:
    """Rate b minus rate a: `estimate`, its interval, and the two-sided p of no difference.

    p is exact and the interval is not, so that at the edge of significance they may differ.
    """

    p: float
    rate_a: float
    rate_b: float
    estimate: float
    low: float
    high: float
    confidence: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def fisher_exact(
    successes_a: int, n_a: int, successes_b: int, n_b: int, *, confidence: float = 0.95
) -> RatesTest:
    """Compare two rates. Raises InvalidCounts unless 0 ≤ successes ≤ n and n ≥ 1, and InvalidLevel.

    p adds up the hypergeometric probabilities of all tables with these margins that are no likelier than the
    one observed (Fisher, "The logic of inductive inference", 1935; as in R's fisher.test).
    """
    low, high = difference_interval(successes_a, n_a, successes_b, n_b, confidence)
    rate_a, rate_b = successes_a / n_a, successes_b / n_b
    p = hypergeometric_p(successes_a, n_a, successes_b, n_b)
    return RatesTest(p, rate_a, rate_b, rate_b - rate_a, low, high, confidence)


def hypergeometric_p(successes_a: int, n_a: int, successes_b: int, n_b: int) -> float:
    """Fisher's two-sided p alone."""
    total, successes = n_a + n_b, successes_a + successes_b
    failures = total - successes

    def ratio(x: Reals) -> Reals:
        return (successes - x) * (n_a - x) / ((x + 1) * (failures - n_a + x + 1))

    variance = n_a * n_b * successes * failures / (total**2 * max(1, total - 1))
    mode = (successes + 1) * (n_a + 1) // (total + 2)
    support = max(0, n_a - failures), min(n_a, successes)
    return two_sided(successes_a, support, mode, math.sqrt(variance), ratio)


def difference_interval(
    successes_a: int, n_a: int, successes_b: int, n_b: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of rate b minus rate a, from the score intervals of both.

    Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven
    methods", 1998, method 10. Raises as `fisher_exact` does.
    """
    check_level(confidence, "confidence")
    check_successes(successes_a, n_a, "a")
    check_successes(successes_b, n_b, "b")
    rate_a, rate_b = successes_a / n_a, successes_b / n_b
    low_a, high_a = wilson(successes_a, n_a, confidence)
    low_b, high_b = wilson(successes_b, n_b, confidence)
    difference = rate_b - rate_a
    low = difference - math.hypot(rate_b - low_b, high_a - rate_a)
    high = difference + math.hypot(high_b - rate_b, rate_a - low_a)
    return max(-1.0, low), min(1.0, high)

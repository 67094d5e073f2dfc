"""Do the arms have as many subjects as their weights say?

Where they do not, something loses or doubles subjects of one arm, and no comparison of the arms is worth
reading (Fabijan et al., "Diagnosing sample ratio mismatch in online controlled experiments", 2019).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from .checks import check_counts, shares
from .discrete import Reals, two_sided
from .sequential import log_e_value, p_of

# Below this the chi-square distribution is no good approximation (Cochran 1954).
_LEAST_EXPECTED: Final = 5


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """`p` for one look at `n` subjects, `p_always` for any number; `test` says where p comes from."""

    n: int
    p: float
    p_always: float
    test: Literal["binomial", "binomials", "chi-square"]
    expected: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "expected": list(self.expected)}


def sample_ratio(exposures: Sequence[int], weights: Sequence[float]) -> SampleRatio:
    """Test whole numbers of different subjects by arm against the weights of the arms.

    Two arms: exact, by the probabilities of all outcomes that are no likelier. More: Pearson's chi-square, or
    where fewer than 5 subjects are expected in an arm, exact tests of each arm against the rest by
    Bonferroni. `p_always` is that of `sequential` for a single class. Alarms usually ask for p < 0.001, as
    healthy experiments are many. Raises InvalidWeights and InvalidCounts.
    """
    w = shares(weights)
    check_counts(exposures, "exposures", len(w), whole=True)
    counts = [int(count) for count in exposures]
    n = sum(counts)
    expected = tuple(n * weight for weight in w)
    always = p_of(log_e_value((counts,), w))
    if len(w) == 2:
        return SampleRatio(n, binomial_p(counts[0], n, w[0]), always, "binomial", expected)
    if min(expected) < _LEAST_EXPECTED:
        each = [binomial_p(count, n, weight) for count, weight in zip(counts, w, strict=True)]
        return SampleRatio(n, min(1.0, len(w) * min(each)), always, "binomials", expected)
    statistic = math.fsum((count - e) ** 2 / e for count, e in zip(counts, expected, strict=True))
    return SampleRatio(n, chi_square_p(statistic, len(w) - 1), always, "chi-square", expected)


def binomial_p(k: int, n: int, p: float) -> float:
    """Exact two-sided p of `k` of `n` with probability 0 < p < 1: of all outcomes that are no likelier."""

    def ratio(x: Reals) -> Reals:
        return (n - x) / (x + 1) * (p / (1 - p))

    return two_sided(k, (0, n), min(n, int((n + 1) * p)), math.sqrt(n * p * (1 - p)), ratio)


def chi_square_p(statistic: float, degrees: int) -> float:
    """P(X ≥ statistic) for chi-square with 1 or more degrees of freedom, by its finite sum (A&S 26.4.4–5)."""
    half = statistic / 2
    if half == 0:
        return 1.0
    # Terms half^j e^(−half) / Γ(j + 1), for j in whole steps up to degrees / 2 − 1.
    start = 0.0 if degrees % 2 == 0 else 0.5
    powers = [start + step for step in range((degrees - (degrees % 2)) // 2)]
    terms = [math.exp(j * math.log(half) - half - math.lgamma(j + 1)) for j in powers]
    return min(1.0, math.fsum(terms) + (math.erfc(math.sqrt(half)) if degrees % 2 else 0.0))

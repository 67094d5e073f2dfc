"""A test of arms that may be looked at after every outcome, and stopped whenever it says so.

Each subject is assigned at random, to arm a with the known probability wₐ, and has one outcome. Where no arm
matters, arms are independent of outcomes: among the successes they are drawn with probabilities w, and among
the failures as well. So somebody who starts with 1 and bets, before each arm is seen, on arms in proportions
q that depend on the past and on the outcome, at odds 1 / wₐ, expects to keep what he has, as Σₐ wₐ · qₐ/wₐ is
1. What he owns is a martingale, and by Ville's inequality (1939) it ever reaches 1 / α with probability α at
most. Here q is learned among successes and among failures apart, from Dirichlet priors κ·w, whose product of
predictions has a closed form that depends on the counts alone,

    E = Π over both classes of  Γ(κ) / Γ(κ + N) · Πₐ Γ(κwₐ + nₐ) / Γ(κwₐ) / wₐ^nₐ,

the ratio of a Dirichlet-multinomial to a multinomial probability of the sequence of arms. As E is read off
the counts, any order and any time of looking will do. min(1, 1 / E) is a p that is valid at all times.
(Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences",
2021; Turner, Ly and Grünwald, "Generic E-variables for exact sequential k-sample tests", 2024; Lindon and
Malek, "Anytime-valid inference for multinomial count data", 2022, for one class.)

An outcome y between 0 and 1 counts as y of a success and 1 − y of a failure. Then (q₁ₐ/wₐ)^y (q₀ₐ/wₐ)^(1−y) ≤
y q₁ₐ/wₐ + (1−y) q₀ₐ/wₐ for every fixed q₁ and q₀, which expects 1 wherever the arms have equal means; so does
the mixture over the priors. The error rate holds, at some loss of power.

κ = 100 was chosen by simulating 400 streams each of 6,000 subjects at α = 0.05, two arms. Subjects until it
stops, on average, with κ = 10, 30, 100, 300, 1,000: at 0.6 against 0.7 1,042, 944, 925, 1,084, 1,518; at 0.6
against 0.65 3,949, 3,564, 3,252, 3,301, 3,868; at 0.3 against 0.5 243, 248, 296, 403, 643; at 0.6 against 0.7
with weights 90:10 3,146, 2,727, 2,467, 2,548, 3,086. Averages of several κ did no better.

What it rests on: one outcome a subject, weights that stay the same, and outcomes that are counted however
they fall. An arm whose outcomes arrive less often is found different, too: `p_weights` tells that. Weights
that change begin a new period: the logarithms of E of all periods add up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from .checks import check_counts, check_level, shares
from .effect import always_valid_difference
from .errors import InvalidCounts
from .holm import holm

KAPPA: Final = 100.0
# Largest logarithm that is written out: what lies beyond is certain, and no double.
_MAX_LOG: Final = 700.0


@dataclass(frozen=True, slots=True)
class ArmTest:
    """One arm against the control, among the subjects of these two.

    `p_adjusted` is Holm's over all arms. `estimate` is the arm's rate minus the control's, None where either
    has no outcome. `low` and `high` bound the difference, of all arms and at all times at once, with
    probability 1 − alpha; None where no rates fit the counts (see `effect`).
    """

    arm: int
    e_value: float
    p: float
    p_adjusted: float
    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class SequentialTest:
    """Do the arms differ at all? Whoever stops where `stop` says so errs with probability `alpha` at most.

    `n` outcomes; `e_value` how much a bet against "no difference" has multiplied; `p` is its reciprocal,
    valid however often one looks. A caller that keeps the least p of all looks may use that.

    `p_weights`, as valid, is of the outcomes of each arm, whatever they are, against the weights. Where it is
    very small, outcomes get lost or weights are others, and none of the rest is worth reading.
    """

    n: float
    e_value: float
    log_e_value: float
    p: float
    p_weights: float
    stop: bool
    alpha: float
    arms: tuple[ArmTest, ...]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "arms": [asdict(arm) for arm in self.arms]}


def sequential_test(
    successes: Sequence[float],
    failures: Sequence[float],
    weights: Sequence[float],
    *,
    control: int = 0,
    alpha: float = 0.05,
) -> SequentialTest:
    """Test arms from their counts of successes and failures so far, in the order of `weights`.

    Sums of outcomes of 0…1, and of what they lack to 1, are counts as well. Raises InvalidWeights unless two
    or more weights are given, all above 0, InvalidCounts and InvalidLevel.
    """
    check_level(alpha, "alpha")
    w = shares(weights)
    check_counts(successes, "successes", len(w))
    check_counts(failures, "failures", len(w))
    if control not in range(len(w)):
        raise InvalidCounts("control", f"an arm from 0 to {len(w) - 1}", str(control))
    log_e = log_e_value((successes, failures), w)
    p = p_of(log_e)
    arms = _against(control, successes, failures, w, alpha)
    outcomes = [won + lost for won, lost in zip(successes, failures, strict=True)]
    p_weights = p_of(log_e_value((outcomes,), w))
    stop = log_e >= -math.log(alpha)
    return SequentialTest(math.fsum(outcomes), e_of(log_e), log_e, p, p_weights, stop, alpha, arms)


def log_e_value(
    classes: Sequence[Sequence[float]], weights: Sequence[float], *, kappa: float = KAPPA
) -> float:
    """The logarithm of E for the counts by arm of each class of outcomes; `weights` add up to 1."""
    value = 0.0
    for counts in classes:
        value += math.lgamma(kappa) - math.lgamma(kappa + math.fsum(counts))
        for count, weight in zip(counts, weights, strict=True):
            value += math.lgamma(kappa * weight + count) - math.lgamma(kappa * weight)
            value -= count * math.log(weight)
    return value


def e_of(log_e: float) -> float:
    return math.exp(min(log_e, _MAX_LOG))


def p_of(log_e: float) -> float:
    return math.exp(-min(max(log_e, 0.0), _MAX_LOG))


def _against(
    control: int, successes: Sequence[float], failures: Sequence[float], w: Sequence[float], alpha: float
) -> tuple[ArmTest, ...]:
    arms = [arm for arm in range(len(w)) if arm != control]
    pairs = {arm: _Pair.of(control, arm, successes, failures, w) for arm in arms}
    logs = {arm: log_e_value((pair.successes, pair.failures), pair.weights) for arm, pair in pairs.items()}
    ps = [p_of(logs[arm]) for arm in arms]
    tests = []
    for arm, p, adjusted in zip(arms, ps, holm(ps), strict=True):
        pair = pairs[arm]
        low, high = always_valid_difference(
            pair.successes, pair.failures, pair.weights, log_e_value=logs[arm], alpha=alpha / len(arms)
        )
        tests.append(ArmTest(arm, e_of(logs[arm]), p, adjusted, pair.difference, low, high))
    return tuple(tests)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Counts of the control and of an arm; given that a subject got one of them, with their own weights."""

    successes: tuple[float, float]
    failures: tuple[float, float]
    weights: tuple[float, float]

    @classmethod
    def of(
        cls, control: int, arm: int, successes: Sequence[float], failures: Sequence[float], w: Sequence[float]
    ) -> _Pair:
        both = w[control] + w[arm]
        return cls(
            (successes[control], successes[arm]),
            (failures[control], failures[arm]),
            (w[control] / both, w[arm] / both),
        )

    @property
    def difference(self) -> float | None:
        n = [won + lost for won, lost in zip(self.successes, self.failures, strict=True)]
        return self.successes[1] / n[1] - self.successes[0] / n[0] if all(n) else None

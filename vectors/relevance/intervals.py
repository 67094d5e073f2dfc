"""Means with 95 % confidence intervals, by bootstrap.

Bias-corrected and accelerated intervals (Efron, "Better bootstrap confidence intervals", 1987), because
scores of queries are skewed: most are 0 or 1. As few values are distinct, a resample is drawn as how often
each of them occurs in it (multinomial): the same distribution for a fraction of the work.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vectors.errors import InvalidQuery

Scores = npt.NDArray[np.float64]

RESAMPLES: Final = 2_000
CONFIDENCE: Final = 0.95
# Fixed, so that the same scores always give the same interval.
_SEED: Final = 20_250_101
# Counts held at a time: 2,000 resamples of many distinct values come in parts.
_MAX_COUNTS: Final = 2_000_000
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the bounds of its 95 % interval, which are None where there is but one value."""

    mean: float
    low: float | None
    high: float | None

    @property
    def is_positive(self) -> bool:
        """Does the whole interval lie above zero?"""
        return self.low is not None and self.low > 0

    def as_dict(self, digits: int = 4) -> dict[str, Any]:
        return {name: None if value is None else round(value, digits) for name, value in asdict(self).items()}


def mean_interval(values: Scores) -> Interval:
    """The mean of `values`, float64 (n,), with its interval from 2,000 resamples.

    For a paired comparison pass the differences. Values that are all the same have an interval of no width:
    a bootstrap knows nothing beyond its sample. Raises InvalidQuery without a value.
    """
    n = len(values)
    if n == 0:
        raise InvalidQuery("queries", "at least one", "none")
    mean = float(values.mean())
    if n == 1:
        return Interval(mean, None, None)
    spread = values - mean
    if not np.any(spread):
        return Interval(mean, mean, mean)
    means = _resampled_means(values)
    # Half of the ties count as below, as means of few distinct values often meet the mean itself.
    below = np.count_nonzero(means < mean - 1e-12) + np.count_nonzero(np.abs(means - mean) <= 1e-12) / 2
    share = min(max(below / RESAMPLES, 1 / RESAMPLES), 1 - 1 / RESAMPLES)
    bias = _NORMAL.inv_cdf(share)
    acceleration = float(np.sum(spread**3) / (6 * np.sum(spread**2) ** 1.5))
    tail = (1 - CONFIDENCE) / 2
    levels = [_corrected(level, bias, acceleration) for level in (tail, 1 - tail)]
    low, high = np.quantile(means, levels)
    return Interval(mean, float(low), float(high))


def _corrected(level: float, bias: float, acceleration: float) -> float:
    """The level at which to read the bound off the resamples."""
    at = bias + _NORMAL.inv_cdf(level)
    return _NORMAL.cdf(bias + at / (1 - acceleration * at))


def _resampled_means(values: Scores) -> Scores:
    distinct, counts = np.unique(values, return_counts=True)
    shares = counts / len(values)
    random = np.random.default_rng(_SEED)
    step = max(1, _MAX_COUNTS // len(distinct))
    parts = [
        random.multinomial(len(values), shares, size=min(step, RESAMPLES - start)) @ distinct
        for start in range(0, RESAMPLES, step)
    ]
    means: Scores = np.concatenate(parts) / len(values)
    return means

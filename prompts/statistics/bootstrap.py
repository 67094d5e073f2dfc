"""A mean of differences against zero, by a bootstrap whose p and interval are one statement.

The studentised bootstrap with symmetric tails: resamples give the distribution of |mean* − mean| / sd*, with
which |mean| / sd is compared (Hall, "The Bootstrap and Edgeworth Expansion", 1992, §3.6: the error of its
level is of order n⁻², where the percentile methods have n⁻¹). Measured at 5 % where 60…80 % of the items are
tied and the rest is skewed or not, n = 20…500: 0.6…6.3 %, with a standard error of 0.7. On the same kinds of
differences a centred mean reaches 8.6 %, and studentised tails of equal size 11 %.

No resample holds what the sample lacks. Where a rare and large loss stays unseen with probability q, every
such test finds an improvement with about that probability: 11 times in 100 where one of ten items loses four
times what four of ten gain, and n = 20.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vectors.relevance.intervals import Scores

from .binomial import lower_bound

RESAMPLES: Final = 9_999
# Fixed, so that the same scores always give the same figures.
_SEED: Final = 20_250_102
# Counts held at a time: resamples of many distinct values come in parts.
_MAX_COUNTS: Final = 2_000_000
# More distinct values than this are put in as many bins for the resampling, and for nothing else.
_MAX_DISTINCT: Final = 1_000
# Equal but for rounding.
_ROUNDING: Final = 1e-9


def mean_test(differences: Scores, confidence: float) -> tuple[float, float, float]:
    """Two-sided p of a mean of zero, and the low and high bound of the mean, at least one difference of −1…1.

    p is (1 + resamples as extreme) / (1 + resamples), but never below 2^(1 − k) where k differences are not
    zero, the least that exchanging old and new could give: at 5 % six must differ, as in McNemar's test. The
    interval excludes 0 exactly where p < 1 − `confidence`; it never leaves ±u, where u is the exact upper
    bound of the share of items that differ, and is all of that where the resamples give no bound. Differences
    that are all the same, and six or more, have an interval without width.
    """
    n, differing = len(differences), int(np.count_nonzero(differences))
    alpha = 1 - confidence
    reach = 1 - lower_bound(n - differing, n, alpha / 2)
    mean, deviation = float(differences.mean()), float(differences.std())
    least = 2.0 ** (1 - differing) if differing else 1.0
    if least >= alpha:
        p = max(least, _p(differences, mean, deviation)[0]) if differing > 1 else 1.0
        return min(1.0, p), -reach, reach
    p, drawn = _p(differences, mean, deviation)
    p = max(p, least)
    half = _critical(drawn, alpha) * deviation if deviation > 0 else 0.0
    low, high = max(mean - half, -reach), min(mean + half, reach)
    return p, low, high


def _p(differences: Scores, mean: float, deviation: float) -> tuple[float, Scores]:
    """p before its floor, and all |mean* − mean| / sd*."""
    if deviation <= _ROUNDING * abs(mean):
        # Every resample is the sample.
        return 1 / (RESAMPLES + 1), np.zeros(RESAMPLES)
    drawn = _resampled(differences, mean)
    extreme = np.count_nonzero(drawn >= abs(mean) / deviation * (1 - _ROUNDING))
    return (1 + int(extreme)) / (RESAMPLES + 1), drawn


def _critical(drawn: Scores, alpha: float) -> float:
    """What |mean| / sd has to exceed for a p below `alpha`; infinite where it cannot."""
    allowed = math.ceil(alpha * (RESAMPLES + 1)) - 1
    # As a comparison of p with alpha rounds, so must this.
    while (1 + allowed) / (RESAMPLES + 1) >= alpha:
        allowed -= 1
    if allowed < 0:
        return math.inf
    return float(np.partition(drawn, RESAMPLES - 1 - allowed)[RESAMPLES - 1 - allowed])


def _resampled(differences: Scores, mean: float) -> Scores:
    """|mean* − mean| / sd* of every resample, drawn as how often each distinct value occurs in it."""
    n = len(differences)
    distinct, counts = _distinct(differences)
    centred = distinct - mean
    scale = float(np.max(np.abs(centred)))
    centred = centred / scale
    random = np.random.default_rng(_SEED)
    step = max(1, _MAX_COUNTS // len(distinct))
    parts = []
    for start in range(0, RESAMPLES, step):
        drawn = random.multinomial(n, counts / n, size=min(step, RESAMPLES - start))
        means = drawn @ centred / n
        variances = drawn @ centred**2 / n - means**2
        means[np.abs(means) < 1e-12] = 0
        # A resample of one value says nothing of the spread, so nothing is more extreme than its mean.
        spread = np.sqrt(np.where(variances < 1e-12, 0, variances))
        with np.errstate(divide="ignore", invalid="ignore"):
            parts.append(np.where(means == 0, 0, np.abs(means) / spread))
    return np.concatenate(parts)


def _distinct(differences: Scores) -> tuple[Scores, Scores]:
    """Distinct values and how often each occurs; the means of bins where there are very many."""
    distinct, counts = np.unique(differences, return_counts=True)
    if len(distinct) <= _MAX_DISTINCT:
        return distinct, counts.astype(np.float64)
    low, high = distinct[0], distinct[-1]
    bins = np.minimum(
        ((differences - low) / (high - low) * _MAX_DISTINCT).astype(np.int64), _MAX_DISTINCT - 1
    )
    counts = np.bincount(bins, minlength=_MAX_DISTINCT)
    sums = np.bincount(bins, weights=differences, minlength=_MAX_DISTINCT)
    filled = counts > 0
    return sums[filled] / counts[filled], counts[filled].astype(np.float64)

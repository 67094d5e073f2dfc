"""Is a new version better than an old one, on the same items?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from vectors.errors import shown
from vectors.relevance.intervals import Scores

from .bootstrap import mean_test
from .checks import check_level
from .errors import InvalidScores
from .mcnemar import difference_interval, mcnemar

# Scores are sums and means of few digits: a smaller difference is rounding, and a tie.
_TIE: Final = 1e-12


@dataclass(frozen=True, slots=True)
class PairedTest:
    """What `n` items say of new minus old.

    `p` is two-sided; `low` and `high` bound the mean difference, `estimate`, at `confidence`, and exclude 0
    exactly where p < 1 − confidence. `wins`, `losses` and `ties` count items on which the new one scored
    more, less and the same.
    """

    test: Literal["mcnemar", "bootstrap"]
    n: int
    p: float
    estimate: float
    low: float
    high: float
    wins: int
    losses: int
    ties: int
    confidence: float = 0.95

    @property
    def ci(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def is_better(self) -> bool:
        """Is the new version better, beyond what chance explains at this confidence?"""
        return self.low > 0

    @property
    def is_worse(self) -> bool:
        return self.high < 0

    def as_json(self) -> dict[str, Any]:
        return {
            "test": self.test,
            "n": self.n,
            "p": self.p,
            "estimate": self.estimate,
            "ci": [self.low, self.high],
            "confidence": self.confidence,
            "wins": self.wins,
            "losses": self.losses,
            "ties": self.ties,
        }


def paired_test(old: npt.ArrayLike, new: npt.ArrayLike, *, confidence: float = 0.95) -> PairedTest:
    """Compare scores of 0…1 of the same items in the same order, both (n,).

    Where every score is 0 or 1, by McNemar's exact test (`mcnemar`), else by a studentised bootstrap of the
    mean difference (`bootstrap`). The same scores always give the same figures. Raises InvalidScores where
    there is no item, the lengths differ, or a score is no number from 0 to 1, and InvalidLevel.
    """
    check_level(confidence, "confidence")
    before, after = _scores(old, "old"), _scores(new, "new")
    if len(before) != len(after):
        raise InvalidScores("new", f"as many scores as old, {len(before):,}", f"{len(after):,}")
    differences = after - before
    differences[np.abs(differences) <= _TIE] = 0
    n = len(differences)
    wins, losses = int(np.count_nonzero(differences > 0)), int(np.count_nonzero(differences < 0))
    test: Literal["mcnemar", "bootstrap"]
    if _is_binary(before) and _is_binary(after):
        test, p, estimate = "mcnemar", mcnemar(wins, losses), (wins - losses) / n
        low, high = difference_interval(wins, losses, n, confidence)
    else:
        test, estimate = "bootstrap", float(differences.mean())
        p, low, high = mean_test(differences, confidence)
    return PairedTest(test, n, p, estimate, low, high, wins, losses, n - wins - losses, confidence)


def _scores(values: npt.ArrayLike, field: str) -> Scores:
    try:
        scores = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidScores(field, "numbers from 0 to 1", shown(values)) from error
    if scores.ndim != 1:
        raise InvalidScores(field, "one score for each item", f"{scores.ndim} axes")
    if len(scores) == 0:
        raise InvalidScores(field, "at least one score", "none")
    # NaN is within no bounds.
    outside = ~((scores >= 0) & (scores <= 1))
    if outside.any():
        at = int(outside.argmax())
        raise InvalidScores(f"{field}[{at}]", "a number from 0 to 1", str(float(scores[at])))
    return scores


def _is_binary(scores: Scores) -> bool:
    return bool(np.all((scores == 0) | (scores == 1)))

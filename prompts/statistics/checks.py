"""What the tests of this package ask of their arguments."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vectors.errors import shown

from .errors import InvalidCounts, InvalidLevel, InvalidWeights


def check_level(value: float, field: str) -> None:
    """A confidence or error rate, above 0 and below 1. Raises InvalidLevel."""
    if not 0 < value < 1:
        raise InvalidLevel(field, "a number above 0 and below 1", shown(value))


def check_successes(successes: int, n: int, arm: str = "") -> None:
    """Whole `successes` out of `n`, with at least one tried. Raises InvalidCounts."""
    end = f"_{arm}" if arm else ""
    if not _is_whole(n) or n < 1:
        raise InvalidCounts(f"n{end}", "a whole number of at least 1", shown(n))
    if not _is_whole(successes) or not 0 <= successes <= n:
        raise InvalidCounts(f"successes{end}", f"a whole number from 0 to {n:,}", shown(successes))


def check_counts(counts: Sequence[float], field: str, arms: int, *, whole: bool = False) -> None:
    """One count for each of `arms`, finite and not negative; `whole` where exactness hangs on it.

    Raises InvalidCounts.
    """
    if len(counts) != arms:
        raise InvalidCounts(field, f"one count for each of {arms} arms", str(len(counts)))
    for at, count in enumerate(counts):
        if not (math.isfinite(count) and count >= 0 and (not whole or _is_whole(count))):
            kind = "a whole number" if whole else "a number"
            raise InvalidCounts(f"{field}[{at}]", f"{kind} of at least 0", shown(count))


def shares(weights: Sequence[float]) -> list[float]:
    """`weights` of two or more arms as shares that add up to 1. Raises InvalidWeights unless all exceed 0."""
    if len(weights) < 2:
        raise InvalidWeights("weights", "two or more", str(len(weights)))
    for at, weight in enumerate(weights):
        if not (math.isfinite(weight) and weight > 0):
            raise InvalidWeights(f"weights[{at}]", "a number above 0", shown(weight))
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def _is_whole(value: float) -> bool:
    return math.isfinite(value) and value == int(value)

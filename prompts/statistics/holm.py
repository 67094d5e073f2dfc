"""Several tests at once."""

from __future__ import annotations

from collections.abc import Sequence

from vectors.errors import shown

from .errors import InvalidLevel


def holm(ps: Sequence[float]) -> list[float]:
    """Each p, in its place, adjusted so that a bound on it bounds the chance of any false alarm among all.

    Holm, "A simple sequentially rejective multiple test procedure", 1979: it asks nothing of how the tests
    depend on each other. Raises InvalidLevel for a p outside 0…1.
    """
    for at, p in enumerate(ps):
        if not 0 <= p <= 1:
            raise InvalidLevel(f"ps[{at}]", "a number from 0 to 1", shown(p))
    adjusted = [0.0] * len(ps)
    largest = 0.0
    for rank, at in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[at]))
        adjusted[at] = largest
    return adjusted

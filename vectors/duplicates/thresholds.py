"""How near is near: a similarity under cosine, a distance under l2."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from vectors.codec import Matrix, unit
from vectors.errors import InvalidQuery, shown
from vectors.models import Metric

DEFAULT: Final = 0.95
# Two embeddings that are the same may differ by so much once they are multiplied in float32.
_ROUNDING: Final = 1e-6


class Threshold:
    """Pairs count whose cosine similarity is at least `value`, or whose distance is at most that under l2."""

    def __init__(self, metric: str, value: float | None = None) -> None:
        """Raises InvalidQuery; None stands for 0.95 under cosine, and for nothing under l2."""
        self.is_cosine = metric == Metric.COSINE
        if value is None and self.is_cosine:
            value = DEFAULT
        wanted = "a similarity above 0, up to 1" if self.is_cosine else "a distance from 0"
        if value is None or not math.isfinite(value) or value < 0 or (self.is_cosine and not 0 < value <= 1):
            raise InvalidQuery("threshold", wanted, shown(value))
        self.value = float(value)

    @property
    def square(self) -> float:
        """‖x − y‖² at most, of unit vectors under cosine."""
        return 2 * (1 - self.value) if self.is_cosine else self.value**2

    def measures(self, one: Matrix, other: Matrix) -> Matrix:
        """The similarity, or the distance, of each row (n, d) with its partner: float32 (n,)."""
        measured: Matrix
        if self.is_cosine:
            measured = np.minimum(np.einsum("ij,ij->i", unit(one), unit(other)), 1)
        else:
            difference = one - other
            measured = np.sqrt(np.einsum("ij,ij->i", difference, difference))
        return measured

    def holds(self, measured: Matrix) -> npt.NDArray[np.bool_]:
        """Is each of `measures` near enough?"""
        if self.is_cosine:
            return measured >= self.value - _ROUNDING
        return measured <= self.value * (1 + _ROUNDING)

    def allows(self, distance: float) -> bool:
        """Is a distance, as a search gives it, near enough?"""
        return distance <= (1 - self.value if self.is_cosine else self.value) + _ROUNDING

    def order(self, measured: Matrix) -> Matrix:
        """What sorts the nearest first."""
        return -measured if self.is_cosine else measured

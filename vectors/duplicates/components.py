"""Which rows hang together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]


class Components:
    """Connected components of n rows, by union-find with path compression (Tarjan, 1975)."""

    def __init__(self, rows: int) -> None:
        self._parents: Places = np.arange(rows)

    def join(self, ones: Places, others: Places) -> npt.NDArray[np.bool_]:
        """Join the rows of each pair; which of the pairs joined what was apart before?"""
        joined = np.zeros(len(ones), bool)
        apart = np.flatnonzero(self.roots(ones) != self.roots(others))
        for at in apart.tolist():  # each joins two components for good, so there are fewer than rows in all
            one, other = self._root(int(ones[at])), self._root(int(others[at]))
            if one != other:
                self._parents[max(one, other)] = min(one, other)
                joined[at] = True
        return joined

    def roots(self, rows: Places) -> Places:
        """The first row of the component of each."""
        roots = self._parents[rows]
        while True:
            above = self._parents[roots]
            if np.array_equal(above, roots):
                self._parents[rows] = roots
                return roots
            roots = above

    def _root(self, row: int) -> int:
        while (above := int(self._parents[row])) != row:
            row = above
        return row

"""Groups around representatives: star clusters (Aslam, Pelekhov and Rus, 2004).

The row with most near rows becomes a representative, then the one with most among those that are not near it,
and so on; each other row belongs to the nearest representative that it is near to. So no two representatives
are near each other, and whoever keeps these alone has lost nothing without a near row that stays. Rows that
merely hang together by a chain of others are not one group.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from vectors.codec import Matrix

Places = npt.NDArray[np.int64]


class Stars:
    """Takes near pairs of n rows, by their places, in any order and also twice.

    `weights` says how many rows each stands for, `order` what sorts the nearest measures first. At most
    `most` pairs are held: past that the groups of these are settled, so that two representatives may turn out
    to be near each other afterwards.
    """

    def __init__(self, weights: Places, order: Callable[[Matrix], Matrix], most: int) -> None:
        self._weights, self._order, self._most = weights, order, most
        self._pending: list[tuple[Places, Places, Matrix]] = []
        self._count = 0
        rows = len(weights)
        self._is_centre = np.zeros(rows, bool)
        self._centres: Places = np.arange(rows)
        self._measures: Matrix = np.zeros(rows, np.float32)
        self._nearness: Matrix = np.full(rows, np.inf, np.float32)

    def take(self, ones: Places, others: Places, measures: Matrix) -> None:
        """Pairs of near rows with their similarity or distance."""
        self._pending.append((ones, others, measures))
        self._count += len(ones)
        if self._count > self._most:
            self._settle()

    def groups(self) -> tuple[Places, Matrix]:
        """The representative of each row, itself if it has none, and how near that is (0 where itself)."""
        self._settle()
        return self._centres, self._measures

    def _settle(self) -> None:
        if not self._count:
            return
        ones, others, measures = (np.concatenate(parts) for parts in zip(*self._pending, strict=True))
        self._pending, self._count = [], 0
        low, high = np.minimum(ones, others), np.maximum(ones, others)
        _, at = np.unique(low * len(self._weights) + high, return_index=True)
        # Each pair from both of its ends.
        sources, targets = np.concatenate([low[at], high[at]]), np.concatenate([high[at], low[at]])
        measures = np.concatenate([measures[at], measures[at]])
        self._assign(sources, targets, measures)
        is_free = ~self._is_centre & (self._centres == np.arange(len(self._weights)))
        wanted = is_free[sources] & is_free[targets]
        self._choose(sources[wanted], targets[wanted])
        self._assign(sources, targets, measures)

    def _choose(self, sources: Places, targets: Places) -> None:
        """Make representatives of rows that have none, until each has one or is one."""
        by_source = np.argsort(sources, kind="stable")
        sources, targets = sources[by_source], targets[by_source]
        rows, starts = np.unique(sources, return_index=True)
        if not len(rows):
            return
        near = np.add.reduceat(self._weights[targets], starts) + self._weights[rows]
        ends = np.append(starts[1:], len(sources))
        is_covered = np.zeros(len(self._weights), bool)
        for at in np.argsort(-near, kind="stable").tolist():
            if not is_covered[rows[at]]:
                self._is_centre[rows[at]] = True
                is_covered[targets[starts[at] : ends[at]]] = True

    def _assign(self, sources: Places, targets: Places, measures: Matrix) -> None:
        """Give each row the nearest of the representatives, as far as these pairs know."""
        known = self._is_centre[sources] & ~self._is_centre[targets]
        sources, targets, measures = sources[known], targets[known], measures[known]
        nearness = self._order(measures)
        best = np.lexsort((sources, nearness, targets))
        rows, firsts = np.unique(targets[best], return_index=True)
        best = best[firsts]
        is_nearer = nearness[best] < self._nearness[rows]
        rows, best = rows[is_nearer], best[is_nearer]
        self._centres[rows], self._measures[rows] = sources[best], measures[best]
        self._nearness[rows] = nearness[best]

"""The true nearest rows of a few queries, from embeddings that stream by."""

from __future__ import annotations

import numpy as np

from vectors.codec import Matrix, unit
from vectors.index.codes import Ids


class Truth:
    """The `k` nearest rows of m queries, float32 (m, d), out of all that `add` has seen.

    `own` int64 (m,) are ids that do not count for the query of the same place: its own row, in a
    leave-one-out. `ids` int64 (m, k) is in no order and holds −1 where there are fewer rows; `near` float32
    (m, k) is minus half of ‖q − x‖², up to a constant of the query (unit vectors under cosine).
    """

    def __init__(self, queries: Matrix, k: int, metric: str, own: Ids | None = None) -> None:
        self._queries = unit(queries) if metric == "cosine" else queries
        self._metric, self._own, self.k = metric, own, k
        self.ids = np.full((len(queries), k), -1, np.int64)
        self.near = np.full((len(queries), k), -np.inf, np.float32)

    def add(self, ids: Ids, matrix: Matrix) -> None:
        """Take n more rows, int64 (n,) and float32 (n, d)."""
        rows = unit(matrix) if self._metric == "cosine" else matrix
        near = self._queries @ rows.T - np.einsum("ij,ij->i", rows, rows) / 2
        if self._own is not None:
            near[self._own[:, np.newaxis] == ids] = -np.inf
        all_near = np.concatenate([self.near, near], axis=1)
        all_ids = np.concatenate([self.ids, np.broadcast_to(ids, near.shape)], axis=1)
        best = np.argpartition(-all_near, self.k - 1, axis=1)[:, : self.k]
        self.near = np.take_along_axis(all_near, best, axis=1)
        self.ids = np.where(np.isneginf(self.near), -1, np.take_along_axis(all_ids, best, axis=1))

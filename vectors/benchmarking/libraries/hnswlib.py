"""hnswlib: a graph in memory, saved as one file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import hnswlib
import numpy as np

from vectors.benchmarking.libraries.base import Library
from vectors.benchmarking.measuring import INSERTS, Matrix


class Hnswlib(Library):
    ways: ClassVar[dict[str, dict[str, Any]]] = {"hnsw, M=16, ef=100": {}}
    versions: ClassVar[Sequence[str]] = ("hnswlib",)

    def open(self) -> None:
        self._index: Any = hnswlib.Index(space="cosine", dim=self.dims)
        self._index.init_index(max_elements=self.rows + INSERTS, M=16, ef_construction=200, random_seed=1)
        self._index.set_num_threads(1)

    def add(self, first: int, chunk: Matrix) -> None:
        self._index.add_items(chunk, np.arange(first, first + len(chunk)), num_threads=1)

    def finish(self) -> None:
        self._index.save_index(str(self.folder / "hnsw.bin"))

    def search(self, query: Matrix, k: int, **settings: Any) -> Sequence[int]:
        # It refuses to give more rows than it looks at.
        self._index.set_ef(max(100, k))
        labels, _ = self._index.knn_query(query, k=k, num_threads=1)
        numbers: list[int] = labels[0].tolist()
        return numbers

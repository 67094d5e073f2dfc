"""usearch: a graph in memory, saved as one file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from usearch.index import Index

from vectors.benchmarking.libraries.base import Library
from vectors.benchmarking.measuring import Matrix


class Usearch(Library):
    ways: ClassVar[dict[str, dict[str, Any]]] = {"hnsw, f32": {}}
    versions: ClassVar[Sequence[str]] = ("usearch",)

    def open(self) -> None:
        self._index: Any = Index(ndim=self.dims, metric="cos", dtype="f32")

    def add(self, first: int, chunk: Matrix) -> None:
        self._index.add(np.arange(first, first + len(chunk)), chunk, threads=1)

    def finish(self) -> None:
        self._index.save(str(self.folder / "index.usearch"))

    def search(self, query: Matrix, k: int, **settings: Any) -> Sequence[int]:
        numbers: list[int] = self._index.search(query, k, threads=1).keys.tolist()
        return numbers

"""LanceDB: inverted lists of small graphs over 8-bit values, as it is and refined by exact distances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import lancedb
import pyarrow as pa
from lancedb.index import HnswSq

from vectors.benchmarking.libraries.base import Library
from vectors.benchmarking.measuring import Matrix


class Lance(Library):
    ways: ClassVar[dict[str, dict[str, Any]]] = {
        "IVF_HNSW_SQ": {},
        "IVF_HNSW_SQ, refined 5×": {"refine_factor": 5},
    }
    versions: ClassVar[Sequence[str]] = ("lancedb",)

    def open(self) -> None:
        vector = pa.list_(pa.float32(), self.dims)
        self._schema = pa.schema([("id", pa.int64()), ("vector", vector)])
        self._table: Any = lancedb.connect(str(self.folder)).create_table("rows", schema=self._schema)

    def add(self, first: int, chunk: Matrix) -> None:
        ids = pa.array(range(first, first + len(chunk)), pa.int64())
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(chunk.ravel()), self.dims)
        self._table.add(pa.table({"id": ids, "vector": vectors}, schema=self._schema))

    def finish(self) -> None:
        self._table.create_index("vector", config=HnswSq(distance_type="cosine"))

    def search(self, query: Matrix, k: int, **settings: Any) -> Sequence[int]:
        asked = self._table.search(query).distance_type("cosine").limit(k).select(["id", "_distance"])
        if factor := settings.get("refine_factor"):
            asked = asked.refine_factor(factor)
        numbers: list[int] = asked.to_arrow()["id"].to_pylist()
        return numbers

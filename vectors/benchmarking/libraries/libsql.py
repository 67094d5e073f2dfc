"""libSQL by its own means, without AFN: every row measured in SQL, or its vector index (DiskANN)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import libsql

from vectors.benchmarking.libraries.base import Library
from vectors.benchmarking.libraries.sql import PRAGMAS
from vectors.benchmarking.measuring import Matrix


class LibsqlExact(Library):
    ways: ClassVar[dict[str, dict[str, Any]]] = {"exact": {}}
    versions: ClassVar[Sequence[str]] = ("libsql",)

    def open(self) -> None:
        self._connection: Any = libsql.connect(str(self.folder / "rows.db"))
        for pragma in PRAGMAS:
            self._connection.execute(pragma).fetchall()
        self._connection.execute(
            f"CREATE TABLE rows (id INTEGER PRIMARY KEY, embedding F32_BLOB({self.dims}))"
        )

    def add(self, first: int, chunk: Matrix) -> None:
        rows = [(first + at, vector.tobytes()) for at, vector in enumerate(chunk)]
        self._connection.executemany("INSERT INTO rows (id, embedding) VALUES (?, ?)", rows)
        self._connection.commit()

    def search(self, query: Matrix, k: int, **settings: Any) -> Sequence[int]:
        found = self._connection.execute(
            "SELECT id FROM rows ORDER BY vector_distance_cos(embedding, ?) LIMIT ?", (query.tobytes(), k)
        )
        return [number for (number,) in found.fetchall()]

    def settle(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


class LibsqlDiskAnn(LibsqlExact):
    """With 64 neighbours, compressed to a bit a dimension; each search looks at 200 rows, its default.

    To ask for more than k of these brings nothing: the nearest were measured exactly already.
    """

    ways: ClassVar[dict[str, dict[str, Any]]] = {"diskann": {}}
    search_l: ClassVar[int] = 200

    def finish(self) -> None:
        self._connection.execute(
            "CREATE INDEX by_embedding ON rows (libsql_vector_idx(embedding, 'metric=cosine', "
            f"'compress_neighbors=float1bit', 'max_neighbors=64', 'search_l={self.search_l}'))"
        )
        self._connection.commit()

    def search(self, query: Matrix, k: int, **settings: Any) -> Sequence[int]:
        vector = query.tobytes()
        found = self._connection.execute(
            """SELECT rows.id FROM vector_top_k('by_embedding', ?, ?) AS near JOIN rows ON rows.id = near.id
               ORDER BY vector_distance_cos(rows.embedding, ?) LIMIT ?""",
            (vector, k, vector, k),
        )
        return [number for (number,) in found.fetchall()]


class LibsqlTuned(LibsqlDiskAnn):
    """The same, looking at twice as many rows."""

    search_l: ClassVar[int] = 400
    ways: ClassVar[dict[str, dict[str, Any]]] = {f"diskann, search_l={search_l}": {}}

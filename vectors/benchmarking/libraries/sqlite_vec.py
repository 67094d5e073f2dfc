"""sqlite-vec: every row is measured, in SQL. Through apsw: not every Python's sqlite3 loads extensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import apsw
import sqlite_vec

from vectors.benchmarking.libraries.base import Library
from vectors.benchmarking.libraries.sql import PRAGMAS
from vectors.benchmarking.measuring import Matrix


class SqliteVec(Library):
    ways: ClassVar[dict[str, dict[str, Any]]] = {"exact": {}}
    versions: ClassVar[Sequence[str]] = ("sqlite-vec", "apsw")

    def open(self) -> None:
        self._connection: Any = apsw.Connection(str(self.folder / "rows.db"))
        self._connection.enable_load_extension(True)
        self._connection.load_extension(sqlite_vec.loadable_path())
        for pragma in PRAGMAS:
            self._connection.execute(pragma).fetchall()
        self._connection.execute(
            f"CREATE VIRTUAL TABLE rows USING vec0(embedding float[{self.dims}] distance_metric=cosine)"
        )

    def add(self, first: int, chunk: Matrix) -> None:
        rows = [(first + at, vector.tobytes()) for at, vector in enumerate(chunk)]
        with self._connection:
            self._connection.executemany("INSERT INTO rows (rowid, embedding) VALUES (?, ?)", rows)

    def search(self, query: Matrix, k: int, **settings: Any) -> Sequence[int]:
        found = self._connection.execute(
            "SELECT rowid FROM rows WHERE embedding MATCH ? AND k = ? ORDER BY distance", (query.tobytes(), k)
        )
        return [number for (number,) in found]

    def settle(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

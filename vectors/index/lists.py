"""Inverted lists: which rows are near which of the centroids, as this process holds them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from vectors.codec import Matrix
from vectors.errors import InvalidQuery
from vectors.index import sql
from vectors.index.codes import Codes, bytes_a_row
from vectors.index.state import State
from vectors.rows import execute, within_an_answer
from vectors.sql import Tables

# Bytes of centroids, and lists, a statement: sqld refuses results of 10 MB.
_CENTROID_RUNS: Final = 4
_CHUNK_BYTES: Final = 4 * 2**20
# Parts of one list a statement, where a list is too long for an answer: rows that are all alike share one.
_PARTS: Final = 32
# Bytes of lists a collection keeps in a process, those that searches met last.
MAX_BYTES: Final = 256 * 2**20


@dataclass
class Lists:
    """The inverted lists of one version: all centroids, float32 (n, d), and the lists that searches met.

    A list never changes; a version that was replaced has none any more, and `codes` says so.
    """

    tables: Tables
    version: int
    last_id: int
    rows: int
    centroids: Matrix
    biases: Matrix
    _held: OrderedDict[int, Codes] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def load(cls, tables: Tables, alias: str, state: State) -> Lists | None:
        """Read the centroids; None where another version has replaced them meanwhile."""
        parts: list[Matrix] = []
        count = 0
        while rows := execute(alias, sql.centroids_from(tables, state.version, count, _CENTROID_RUNS)):
            parts += [np.frombuffer(blob, "<f4").reshape(-1, tables.dimensions) for _, blob in rows]
            count = sum(map(len, parts))
        if count != state.lists:
            return None
        centroids = np.concatenate(parts)
        return cls(tables, state.version, state.lists_last_id, state.lists_rows, centroids, biases(centroids))

    def __len__(self) -> int:
        return len(self.centroids)

    def nearest(self, vector: Matrix, count: int) -> npt.NDArray[np.intp]:
        """The numbers of the `count` lists whose centroids are nearest to `vector`, in no order."""
        if count >= len(self):
            return np.arange(len(self))
        scores = self.centroids @ vector - self.biases
        return np.argpartition(-scores, count)[:count]

    def codes(self, alias: str, numbers: Sequence[int]) -> Codes | None:
        """The codes of these lists; None where one is not there any more, as another version took over.

        A row in two of the lists is there twice.
        """
        with self._lock:
            held = self._held
            missing = [number for number in numbers if number not in held]
            for number in numbers:
                if number in held:
                    held.move_to_end(number)
            parts = [held[number] for number in numbers if number in held]
        if missing:
            loaded = self._load(alias, missing)
            if len(loaded) < len(missing):
                return None
            parts += loaded.values()
            self._hold(loaded)
        return Codes.joined(parts)

    def _load(self, alias: str, numbers: Sequence[int]) -> dict[int, Codes]:
        average = 1 + 2 * self.rows * bytes_a_row(self.tables.dimensions) // len(self)
        step = max(1, _CHUNK_BYTES // average)
        parts: dict[int, list[Codes]] = {}
        for start in range(0, len(numbers), step):
            asked = numbers[start : start + step]
            for number, blob in read_parts(self.tables, alias, self.version, asked):
                parts.setdefault(number, []).append(Codes.from_blob(blob, self.tables.dimensions))
        return {number: Codes.joined(some) for number, some in parts.items()}

    def _hold(self, loaded: dict[int, Codes]) -> None:
        with self._lock:
            for number, codes in loaded.items():
                if number not in self._held:
                    self._held[number] = codes
                    self._bytes += codes.nbytes
            while self._bytes > MAX_BYTES:
                self._bytes -= self._held.popitem(last=False)[1].nbytes


def read_parts(
    tables: Tables, alias: str, version: int, numbers: Sequence[int]
) -> Iterable[tuple[int, bytes]]:
    """(list, codes) of all parts of these lists: by one statement, unless a server does not send as much."""
    try:
        with within_an_answer("lists", f"{len(numbers)} lists"):
            rows: list[tuple[int, bytes]] = execute(alias, sql.lists_of(tables, version, numbers))
            return rows
    except InvalidQuery:
        return _part_by_part(tables, alias, version, numbers)


def _part_by_part(
    tables: Tables, alias: str, version: int, numbers: Sequence[int]
) -> Iterator[tuple[int, bytes]]:
    for number in numbers:
        part = -1
        while rows := execute(alias, sql.parts_after(tables, version, int(number), part, _PARTS)):
            for part, blob in rows:  # noqa: B007 - used by the next statement
                yield number, blob


def biases(centroids: Matrix) -> Matrix:
    """‖c‖² / 2 of each: the nearest centroid is the one with the greatest ⟨x, c⟩ − ‖c‖² / 2."""
    halves: Matrix = np.einsum("ij,ij->i", centroids, centroids) / 2
    return halves

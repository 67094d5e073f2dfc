"""What a library is asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from vectors.benchmarking.measuring import ROWS_FILE, Matrix, read_chunks


class Library:
    """One library with the rows of a benchmark.

    `ways` are the strategies it is measured by, by name, each with the settings that `search` gets. What it
    writes goes into `folder`. `versions` are the packages that are named with the figures.
    """

    ways: ClassVar[dict[str, dict[str, Any]]]
    versions: ClassVar[Sequence[str]]
    # Rows handed over at once.
    batch: ClassVar[int] = 5_000
    # Whether a process of its own does the work, of which this one's time and memory say nothing.
    is_server: ClassVar[bool] = False

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder = folder
        self.rows_file = data / ROWS_FILE
        self.rows, self.dims = np.load(self.rows_file, mmap_mode="r").shape

    def build(self) -> None:
        """Everything until the rows can be searched and are on disk."""
        self.open()
        for first, chunk in read_chunks(self.rows_file, self.batch):
            self.add(first, chunk)
        self.finish()

    def open(self) -> None:
        """Make what rows are added to."""

    def add(self, first: int, chunk: Matrix) -> None:
        """Add rows, float32 (n, d), numbered from `first` on."""
        raise NotImplementedError

    def finish(self) -> None:
        """Index them and write them to disk, unless `add` did."""

    def search(self, query: Matrix, k: int, **settings: Any) -> Sequence[int]:
        """The numbers of the k nearest by cosine, nearest first."""
        raise NotImplementedError

    def insert(self, number: int, vector: Matrix) -> None:
        """Add one row while serving; the next search is to find it."""
        self.add(number, vector[np.newaxis])

    def settle(self) -> None:
        """Bring files to the size they have at rest, before they are measured."""

    def close(self) -> None:
        """Stop what was started beside this process."""

"""An array of embeddings, NAME.npy, with the items in NAME.jsonl beside it, in the same order.

Read and written piece by piece, and never with pickle: an array of objects would run code.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy_format

from vectors.browsing import Page
from vectors.errors import InvalidFile, shown
from vectors.files import jsonl
from vectors.files.base import Format, Row

_BLOCK_BYTES: Final = 4 * 2**20


def beside(path: Path) -> Path:
    """The file with the items of an array."""
    return path.with_suffix(".jsonl")


def count(path: Path) -> int:
    with path.open("rb") as file:
        return _header(file, path)[0]


def read(path: Path) -> Iterator[Row]:
    """The items, each with its row of the array as `vector`."""
    with path.open("rb") as file:
        rows, dimensions, dtype = _header(file, path)
        if (items := jsonl.count(beside(path))) != rows:
            raise InvalidFile(
                "file",
                f"as many rows in {path.name} as lines in {beside(path).name}",
                f"{rows:,} and {items:,}",
            )
        vectors = _vectors(file, rows, dimensions, dtype)
        for (number, value), vector in zip_longest(jsonl.read(beside(path)), vectors):
            yield number, {**value, "vector": vector} if isinstance(value, dict) else value


class Writer:
    def __init__(self, paths: list[Path], dimensions: int, with_vectors: bool) -> None:
        self._items = jsonl.Writer(paths[1:], dimensions, False)
        self._file = paths[0].open("wb")
        self._dimensions = dimensions
        self._rows = 0
        self._write_header()

    def write(self, page: Page) -> None:
        if page.vectors is None:
            raise InvalidFile("file", "items with their embeddings", "none")
        self._items.write(page)
        self._file.write(page.vectors.astype("<f4", copy=False).tobytes())
        self._rows += len(page.items)

    def close(self) -> None:
        self._items.close()
        with self._file:
            # NumPy pads its header so that the number of rows may grow in place.
            self._file.seek(0)
            self._write_header()

    def _write_header(self) -> None:
        shape = (self._rows, self._dimensions)
        npy_format.write_array_header_1_0(
            self._file, {"descr": "<f4", "fortran_order": False, "shape": shape}
        )


def _header(file: IO[bytes], path: Path) -> tuple[int, int, np.dtype[Any]]:
    wanted = "a two-dimensional array of float16, float32 or float64 in the order of C"
    try:
        version = npy_format.read_magic(file)
        read_header = {
            (1, 0): npy_format.read_array_header_1_0,
            (2, 0): npy_format.read_array_header_2_0,
        }[version]
        shape, is_fortran, dtype = read_header(file)
    except (ValueError, KeyError) as error:
        raise InvalidFile("file", f"{path.name} to hold {wanted}", "something else") from error
    if len(shape) != 2 or is_fortran or dtype.kind != "f" or dtype.itemsize > 8 or not shape[1]:
        got = f"{shown(shape)} of {dtype}" + (" in the order of Fortran" if is_fortran else "")
        raise InvalidFile("file", f"{path.name} to hold {wanted}", got)
    start = file.tell()
    size, expected = path.stat().st_size - start, shape[0] * shape[1] * dtype.itemsize
    if size != expected:
        raise InvalidFile("file", f"{expected:,} bytes of numbers in {path.name}", f"{size:,}")
    return shape[0], shape[1], dtype


def _vectors(file: IO[bytes], rows: int, dimensions: int, dtype: np.dtype[Any]) -> Iterator[npt.NDArray[Any]]:
    row_bytes = dimensions * dtype.itemsize
    block = max(1, _BLOCK_BYTES // row_bytes)
    for first in range(0, rows, block):
        data = file.read(min(block, rows - first) * row_bytes)
        # Rows of their own, so that a batch that keeps one does not keep the block.
        yield from (row.copy() for row in np.frombuffer(data, dtype).reshape(-1, dimensions))


FORMAT: Final = Format(count, read, lambda path: [path, beside(path)], Writer, needs_vectors=True)

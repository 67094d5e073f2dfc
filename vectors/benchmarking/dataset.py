"""The rows and queries of a benchmark: from a file, or made up; laid down for all engines to read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vectors.benchmarking.errors import InvalidBenchmark
from vectors.benchmarking.measuring import QUERIES_FILE, ROWS_FILE, Matrix
from vectors.errors import shown
from vectors.limits import MAX_DIMENSIONS
from vectors.progress import track

QUERIES: Final = 200
_LEAST: Final = 2 * QUERIES
_SEED: Final = 1
_CHUNK_BYTES: Final = 32 * 2**20
# Made-up data: Gaussian clouds whose noise is this share of the mean distance between their centres long.
_CENTRES: Final = 4_096
_NOISE: Final = 0.35
_CENTRES_COMPARED: Final = 512
# Norms that float32 can square.
_SMALLEST, _LARGEST = 1e-15, 1e18
_EXPECTED: Final = "a .npy file of float16 or float32, shape (rows, dimensions)"


@dataclass(frozen=True, slots=True)
class Dataset:
    """Files of float32 (rows, dims) and (200, dims), and what they came from."""

    folder: Path
    source: str
    rows: int
    dims: int

    @property
    def rows_file(self) -> Path:
        return self.folder / ROWS_FILE

    def read_rows(self) -> Matrix:
        """All rows, mapped from the file."""
        rows: Matrix = np.load(self.rows_file, mmap_mode="r")
        return rows

    def read_queries(self) -> Matrix:
        queries: Matrix = np.load(self.folder / QUERIES_FILE)
        return queries


def from_file(path: Path, folder: Path, *, rows: int | None = None, quiet: bool = False) -> Dataset:
    """Take 200 rows of a .npy file out as queries (seed 1); the others, or the first `rows`, are the rows.

    The file is mapped, not loaded, and never unpickled. Raises InvalidBenchmark.
    """
    raw = _open(path)
    there = len(raw) - QUERIES
    wanted = there if rows is None else rows
    if not QUERIES <= wanted <= there:
        expected = f"a number from {QUERIES} to {there:,} ({QUERIES} of the file's rows are the queries)"
        raise InvalidBenchmark("--rows", expected, f"{wanted:,}")
    step = _step(raw.shape[1])
    chunks = (raw[start : start + step] for start in range(0, len(raw), step))
    shown_chunks = track(chunks, "Reading", -(-len(raw) // step), quiet=quiet)
    _split(_checked(shown_chunks), len(raw), raw.shape[1], wanted, folder)
    return Dataset(folder, path.name, wanted, raw.shape[1])


def from_recipe(recipe: str, folder: Path, *, quiet: bool = False) -> Dataset:
    """Make up ROWSxDIMS: 4,096 Gaussian clouds, seed 1; 200 more rows are the queries. In bounded memory."""
    match = re.fullmatch(r"(\d{1,9})x(\d{1,5})", recipe)
    rows, dims = map(int, match.groups()) if match else (0, 0)
    if rows < QUERIES or not 2 <= dims <= MAX_DIMENSIONS:
        expected = (
            f"ROWSxDIMS, such as 1000000x384: at least {QUERIES} rows, 2 to {MAX_DIMENSIONS:,} dimensions"
        )
        raise InvalidBenchmark("--synthetic", expected, shown(recipe))
    total = rows + QUERIES
    chunks = track(_clouds(total, dims), "Making rows", -(-total // _step(dims)), quiet=quiet)
    _split(chunks, total, dims, rows, folder)
    return Dataset(folder, f"synthetic {recipe}", rows, dims)


def _open(path: Path) -> npt.NDArray[Any]:
    try:
        raw = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise InvalidBenchmark("--dataset", _EXPECTED, f"no file {path}") from error
    except (OSError, EOFError) as error:
        raise InvalidBenchmark(
            "--dataset", _EXPECTED, getattr(error, "strerror", "") or str(error)
        ) from error
    except ValueError as error:  # not the format, cut off, or objects, which would have to be unpickled
        raise InvalidBenchmark("--dataset", _EXPECTED, f"something else ({error})") from error
    if not isinstance(raw, np.ndarray):
        raise InvalidBenchmark("--dataset", _EXPECTED, "an archive of arrays (.npz)")
    if raw.dtype not in (np.float16, np.float32):
        raise InvalidBenchmark("--dataset", _EXPECTED, f"values of type {raw.dtype}")
    if raw.ndim != 2 or not 1 <= raw.shape[1] <= MAX_DIMENSIONS:
        raise InvalidBenchmark("--dataset", _EXPECTED, f"shape {raw.shape}")
    if len(raw) < _LEAST:
        raise InvalidBenchmark("--dataset", f"at least {_LEAST} rows", f"{len(raw)}")
    return raw


def _checked(chunks: Iterable[npt.NDArray[Any]]) -> Iterator[Matrix]:
    """As float32; refuses rows that have no direction, since the benchmark measures cosine."""
    done = 0
    for chunk in chunks:
        matrix = np.asarray(chunk, dtype=np.float32)
        norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
        if (bad := ~((norms >= _SMALLEST) & (norms <= _LARGEST))).any():
            row = int(np.argmax(bad))
            got = f"a norm of {norms[row]:g} in row {done + row}"
            raise InvalidBenchmark("--dataset", "finite numbers, and no rows of zeros", got)
        yield matrix
        done += len(matrix)


def _clouds(total: int, dims: int) -> Iterator[Matrix]:
    random = np.random.default_rng(_SEED)
    centres = random.standard_normal((_CENTRES, dims), dtype=np.float32)
    sigma = np.float32(_NOISE * _mean_distance(centres[:_CENTRES_COMPARED]) / np.sqrt(dims))
    step = _step(dims)
    for start in range(0, total, step):
        count = min(step, total - start)
        chunk = random.standard_normal((count, dims), dtype=np.float32)
        chunk *= sigma
        chunk += centres[random.integers(_CENTRES, size=count)]
        yield chunk


def _mean_distance(points: Matrix) -> float:
    exact = points.astype(np.float64)
    squares = np.einsum("ij,ij->i", exact, exact)
    distances = np.sqrt(np.maximum(squares[:, np.newaxis] + squares - 2 * exact @ exact.T, 0))
    return float(distances[np.triu_indices(len(points), 1)].mean())


def _split(chunks: Iterable[Matrix], total: int, dims: int, wanted: int, folder: Path) -> None:
    """Write 200 of the rows as queries and, in order, the first `wanted` others as rows."""
    picked = np.random.default_rng(_SEED).choice(total, QUERIES, replace=False)
    places = np.full(total, -1, np.int64)
    places[picked] = np.arange(QUERIES)
    queries = np.empty((QUERIES, dims), np.float32)
    rows = np.lib.format.open_memmap(folder / ROWS_FILE, mode="w+", dtype=np.float32, shape=(wanted, dims))
    start = written = 0
    for chunk in chunks:
        place = places[start : start + len(chunk)]
        queries[place[place >= 0]] = chunk[place >= 0]
        others = chunk[place < 0][: wanted - written]
        rows[written : written + len(others)] = others
        written += len(others)
        start += len(chunk)
    rows.flush()
    np.save(folder / QUERIES_FILE, queries)


def _step(dims: int) -> int:
    return max(1, _CHUNK_BYTES // (4 * dims))

"""Embeddings as arrays and as blobs.

A blob is what libSQL's `F32_BLOB(d)` holds: d little-endian IEEE 754 float32 values, no header. Blobs bind
faster than the JSON text form and lose no bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vectors.errors import InvalidVector, shown

Matrix = npt.NDArray[np.float32]

_FLOAT32 = np.dtype("<f4")
# Squared norms outside this range over- or underflow float32 in vector_distance_*, which then gives NULL.
_SMALLEST, _LARGEST = 1e-30, 1e36


def as_matrix(
    values: Matrix | Sequence[Any] | npt.NDArray[Any], dimensions: int, metric: str, field: str = "embedding"
) -> Matrix:
    """Validate n embeddings and return them as a contiguous float32 array of shape (n, dimensions).

    Accepts integers and floats of any width. Refused: another shape, bool, complex or text, NaN, ±Inf, and
    values too large to square in float32; under cosine also vectors (next to) zero, which have no direction.
    """
    try:
        raw = np.asarray(values)
    except ValueError as error:
        raise InvalidVector(field, f"{dimensions} numbers", "rows of different lengths") from error
    if raw.dtype.kind not in "fiu":
        raise InvalidVector(field, "numbers", f"values of type {raw.dtype}")
    if raw.ndim != 2 or raw.shape[1] != dimensions:
        got = f"{raw.shape[1]} dimensions" if raw.ndim == 2 else f"an array of shape {raw.shape}"
        raise InvalidVector(field, f"{dimensions} dimensions", got)
    if raw.dtype.kind == "f" and not np.isfinite(raw).all():
        row, column = np.argwhere(~np.isfinite(raw))[0]
        raise InvalidVector(field, "finite numbers", f"{raw[row, column]} at row {row}, dimension {column}")
    with np.errstate(over="ignore", under="ignore"):
        matrix: Matrix = np.ascontiguousarray(raw, dtype=_FLOAT32)
        squares = np.einsum("ij,ij->i", matrix, matrix)
    if (large := ~(squares <= _LARGEST)).any():
        row = int(np.argmax(large))
        raise InvalidVector(field, f"a norm of at most {_LARGEST**0.5:.0e}", f"a larger one at row {row}")
    if metric == "cosine" and (small := squares < _SMALLEST).any():
        row = int(np.argmax(small))
        expected = "a vector other than zero (cosine has no direction for it)"
        raise InvalidVector(field, expected, f"a length next to 0 at row {row}")
    return matrix


def as_vector(values: object, dimensions: int, metric: str, field: str = "vector") -> Matrix:
    """Validate one embedding and return it as float32 of shape (dimensions,); see `as_matrix`."""
    if type(values) is np.ndarray and values.dtype == _FLOAT32 and values.shape == (dimensions,):
        # One product tells what `as_matrix` looks for in several steps: NaN, infinity, size.
        precise = values.astype(np.float64)
        if _SMALLEST <= precise.dot(precise) <= _LARGEST:
            return np.ascontiguousarray(values)
    try:
        row = np.asarray(values)
    except ValueError as error:
        raise InvalidVector(field, f"{dimensions} numbers", shown(values)) from error
    if row.ndim != 1:
        raise InvalidVector(field, f"one list of {dimensions} numbers", f"an array of shape {row.shape}")
    vector: Matrix = as_matrix(row[np.newaxis], dimensions, metric, field)[0]
    return vector


def to_blob(vectors: Matrix) -> bytes:
    """The float32 array, one vector or many end to end, as little-endian bytes: 4 · size of them."""
    return np.ascontiguousarray(vectors, dtype=_FLOAT32).tobytes()


def from_blobs(blobs: Iterable[bytes], dimensions: int) -> Matrix:
    """n blobs as a read-only float32 array of shape (n, dimensions)."""
    rows = list(blobs)
    data = b"".join(rows)
    if len(data) != 4 * dimensions * len(rows):
        got = f"{len(data)} bytes in {len(rows)} of them"
        raise InvalidVector("embedding", f"blobs of {4 * dimensions} bytes", got)
    matrix: Matrix = np.frombuffer(data, dtype=_FLOAT32).reshape(-1, dimensions)
    return matrix


def unit(vectors: Matrix) -> Matrix:
    """A vector (d,), or each row of (n, d), at length 1; zero (possible under l2) stays zero. float32."""
    if vectors.ndim == 1:
        norm = math.sqrt(vectors.dot(vectors))
        return vectors / np.float32(norm) if norm else vectors
    norms = np.sqrt(np.einsum("...j,...j->...", vectors, vectors, dtype=np.float64))
    scales = 1 / np.where(norms == 0, 1, norms)
    scaled: Matrix = (vectors * scales[..., np.newaxis]).astype(np.float32)
    return scaled

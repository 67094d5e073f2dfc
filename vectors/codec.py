"""Embeddings as arrays, as blobs and as 1-bit codes.

A blob is what libSQL's `F32_BLOB(d)` holds: d little-endian IEEE 754 float32 values, no header. Blobs bind
faster than the JSON text form and lose no bit.

A 1-bit code keeps one sign a dimension, 32 times smaller than float32. The share of differing signs of two
vectors estimates the angle between them (Charikar, "Similarity estimation techniques from rounding
algorithms", 2002). Subtracting the mean first spends the bits on what tells the vectors apart: sets of
embeddings sit in a narrow cone (Mu and Viswanath, "All-but-the-top", 2018); measured +1–2 points of recall.
Keeping the query in full precision (`affinity`) is better still, and dearer: asymmetric distance, Gordo and
Perronnin, "Asymmetric distances for binary embeddings", CVPR 2011.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vectors.errors import InvalidVector, shown

Matrix = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint64]

_FLOAT32 = np.dtype("<f4")
# Squared norms outside this range over- or underflow float32 in vector_distance_*, which then gives NULL.
_SMALLEST, _LARGEST = 1e-30, 1e36
# Rows a block of the scan: the two scratch arrays of a block stay inside the L1/L2 cache.
_BLOCK = 8_192
# Rows unpacked at once; products of larger matrices would also be spread over threads, which costs more.
_UNPACKED = 512


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
        raise InvalidVector(field, "a vector other than zero (cosine has no direction for it)", f"row {row}")
    return matrix


def as_vector(values: object, dimensions: int, metric: str, field: str = "vector") -> Matrix:
    """Validate one embedding and return it as float32 of shape (dimensions,); see `as_matrix`."""
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


def centre(matrix: Matrix) -> Matrix:
    """The mean direction of n ≥ 1 vectors: float32 of shape (dimensions,). Length does not count."""
    mean: Matrix = _unit(matrix).mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def sign_codes(matrix: Matrix, middle: Matrix) -> Codes:
    """One bit a dimension: is the unit vector above `middle` there?

    `matrix` is (n, d) float32, `middle` (d,) float32. Returns uint64 of shape (ceil(d / 64), n), word-major,
    so that a scan reads each word of all rows in one sweep. Bits past d are zero in every row.
    """
    rows, dimensions = matrix.shape
    words = -(-dimensions // 64)
    packed = np.zeros((rows, words * 8), dtype=np.uint8)
    packed[:, : -(-dimensions // 8)] = np.packbits(_unit(matrix) > middle, axis=1, bitorder="little")
    return np.ascontiguousarray(packed.view(np.dtype("<u8")).T, dtype=np.uint64)


def hamming(codes: Codes, code: Codes) -> npt.NDArray[Any]:
    """Differing bits between every column of `codes` (words, n) and `code` (words,): shape (n,), uint16
    (uint32 from 65,536 dimensions on).

    One XOR, one popcount and one addition a word, over blocks that stay in the cache: 0.12 ms for
    30,000 × 384 bits, five times faster than the same over row-major codes.
    """
    words, rows = codes.shape
    distances = np.zeros(rows, dtype=np.uint16 if words * 64 < 2**16 else np.uint32)
    differing = np.empty(min(_BLOCK, rows), dtype=np.uint64)
    bits = np.empty(min(_BLOCK, rows), dtype=np.uint8)
    for start in range(0, rows, _BLOCK):
        block = distances[start : start + _BLOCK]
        xor, ones = differing[: len(block)], bits[: len(block)]
        for word in range(words):
            np.bitwise_xor(codes[word, start : start + _BLOCK], code[word], out=xor)
            np.bitwise_count(xor, out=ones)
            np.add(block, ones, out=block)
    return distances


def affinity(codes: Codes, vector: Matrix) -> Matrix:
    """The sum of the query's components where a code has its bit set: float32 (n,), larger is nearer.

    `codes` is (words, n), `vector` float32 (d,). Up to a factor and a constant, this estimates the inner
    product of the vector with each row's signs. 0.1 ms for 900 × 384.
    """
    words, rows = codes.shape
    sums = np.empty(rows, dtype=np.float32)
    for start in range(0, rows, _UNPACKED):
        block = np.ascontiguousarray(codes[:, start : start + _UNPACKED].T, dtype=np.dtype("<u8"))
        octets = block.view(np.uint8).reshape(-1, words * 8)
        bits = np.unpackbits(octets, axis=1, count=len(vector), bitorder="little")
        sums[start : start + _UNPACKED] = bits.astype(np.float32) @ vector
    return sums


def _unit(matrix: Matrix) -> Matrix:
    """The rows at length 1; a zero row (possible under l2) stays zero."""
    norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
    norms[norms == 0] = 1
    unit: Matrix = (matrix / norms[:, np.newaxis]).astype(np.float32)
    return unit

"""1-bit codes of embeddings, 32 times smaller than float32, and estimates of distance by them.

A code keeps the sign of each component of r = x − m, where m is the middle of the collection, and two
numbers beside the bits: ‖r‖² and ‖r‖² / ‖r‖₁. With s the signs as ±1, the latter times ⟨q, s⟩ estimates
⟨q, r⟩ without bias, the query q kept in full precision, and so

    ‖q − x‖² = ‖q − m‖² + ‖r‖² − 2⟨q − m, r⟩

which is the estimator of RaBitQ (Gao and Long, SIGMOD 2024) without its random rotation: that gained nothing
on embeddings of text (recall@10 of 50 candidates 0.991 with it, 0.993 without, 30,000 × 384). Under cosine, x
and q are the unit vectors, whose squared distance is twice the cosine distance. The error of an estimate is
known as well: its standard deviation is 2‖q − m‖ · sqrt((d · scale² − ‖r‖²) / (d − 1)). So how many rows have
to be measured exactly is not a setting but follows from the data: all that may, within so many standard
deviations, be nearer than the k-th nearest estimate. Ten of 30,000 MiniLM rows need 38 on average, ten in a
tight cluster of 244 need nearly all of it, and recall is 0.995 or more in both.

Codes alone, compared by differing bits (Charikar, "Similarity estimation techniques from rounding
algorithms", 2002), are cheaper and coarser. Hence two steps, all rows by bits and the best by the estimate.

Subtracting the middle first spends the bits on what tells rows apart, as embeddings sit in a narrow cone (Mu
and Viswanath, "All-but-the-top", 2018).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vectors.codec import Matrix, unit
from vectors.errors import CorruptIndex

Ids = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

# Rows a block of the scan: the two scratch arrays of a block stay inside the L2 cache.
_BLOCK: Final = 32_768
# Rows unpacked at once; products of larger matrices would also be spread over threads, which costs more.
_UNPACKED: Final = 512
# Standard deviations of the estimate that candidates are taken from.
CONFIDENCE: Final = 2.0
# Rows taken by differing bits for each candidate, and at least.
_SHORTLIST_FACTOR: Final = 6
_MIN_SHORTLIST: Final = 320
# Candidates at most, and for each row that is wanted.
_MOST: Final = 2_000
_MOST_PER_ROW: Final = 10


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of n rows: `ids` int64 (n,) and `words` uint64 (ceil(d / 64), n), where bits past d are zero.

    `squares` float32 (n,) holds ‖r‖², `scales` float32 (n,) ‖r‖² / ‖r‖₁. Words are word-major, so that a scan
    reads each word of all rows in one sweep: five times faster than row by row.
    """

    ids: Ids
    words: Words
    squares: Matrix
    scales: Matrix

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Any) -> Codes:
        """The codes of some rows, by a slice, a mask or positions."""
        return Codes(
            self.ids[rows],
            np.ascontiguousarray(self.words[:, rows]),
            self.squares[rows],
            self.scales[rows],
        )

    @property
    def nbytes(self) -> int:
        return self.ids.nbytes + self.words.nbytes + self.squares.nbytes + self.scales.nbytes

    def to_blob(self) -> bytes:
        """All four arrays end to end, little-endian, in the order of the fields."""
        parts = (
            self.ids.astype("<i8", copy=False),
            self.words.astype("<u8", copy=False),
            self.squares.astype("<f4", copy=False),
            self.scales.astype("<f4", copy=False),
        )
        return b"".join(part.tobytes() for part in parts)

    @classmethod
    def from_blob(cls, blob: bytes, dimensions: int) -> Codes:
        """Read-only views of a blob of `to_blob`; raises CorruptIndex where its length cannot be right."""
        words = words_of(dimensions)
        rows, rest = divmod(len(blob), bytes_a_row(dimensions))
        if rest:
            expected = f"a multiple of {bytes_a_row(dimensions)} bytes"
            raise CorruptIndex("codes", expected, f"{len(blob)} bytes", "Run rebuild_vectors.")
        at_words, at_squares, at_scales = 8 * rows, 8 * rows * (1 + words), 4 * rows * (3 + 2 * words)
        return cls(
            np.frombuffer(blob, "<i8", rows),
            np.frombuffer(blob, "<u8", rows * words, at_words).reshape(words, rows),
            np.frombuffer(blob, "<f4", rows, at_squares),
            np.frombuffer(blob, "<f4", rows, at_scales),
        )

    @classmethod
    def empty(cls, dimensions: int) -> Codes:
        return cls.from_blob(b"", dimensions)

    @classmethod
    def joined(cls, parts: Sequence[Codes]) -> Codes:
        """The rows of one or more codes of the same dimensions, in their order."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.ids for part in parts]),
            np.concatenate([part.words for part in parts], axis=1),
            np.concatenate([part.squares for part in parts]),
            np.concatenate([part.scales for part in parts]),
        )


def words_of(dimensions: int) -> int:
    """64-bit words a code."""
    return -(-dimensions // 64)


def bytes_a_row(dimensions: int) -> int:
    """An id, the words and two float32."""
    return 16 + 8 * words_of(dimensions)


def encode(ids: Ids | Sequence[int], matrix: Matrix, middle: Matrix, metric: str) -> Codes:
    """The codes of n embeddings, float32 (n, d), around `middle`, float32 (d,)."""
    residuals = (unit(matrix) if metric == "cosine" else matrix) - middle
    squares = np.einsum("ij,ij->i", residuals, residuals)
    with np.errstate(invalid="ignore", divide="ignore"):
        scales = np.nan_to_num(squares / np.abs(residuals).sum(axis=1))
    return Codes(np.asarray(ids, dtype=np.int64), _pack(residuals), squares, scales.astype(np.float32))


@dataclass(frozen=True, slots=True)
class CodedQuery:
    """A query to compare with codes around the same middle: q − m, float32 (d,), its code (w,) and length."""

    residual: Matrix
    code: Words
    length: float
    is_by_angle: bool

    @classmethod
    def of(cls, vector: Matrix, middle: Matrix, metric: str) -> CodedQuery:
        """Of a float32 `vector` (d,), of length 1 under cosine."""
        residual = vector - middle
        length = math.sqrt(residual.dot(residual))
        return cls(residual, _pack(residual[np.newaxis])[:, 0], length, metric == "cosine")

    def candidates(
        self,
        codes: Codes,
        k: int,
        *,
        at_least: int = 0,
        confidence: float = CONFIDENCE,
        has_twins: bool = False,
    ) -> Ids:
        """The ids of the rows that may be among the `k` nearest, and of the `at_least` nearest by estimate.

        In no order, each once; `has_twins` says that `codes` may hold a row twice. 2,000 and ten times what
        is wanted are the limit, which only data without any neighbourhoods reaches.
        """
        copies = 2 if has_twins else 1
        wanted = max(k, at_least)
        size = copies * max(_MIN_SHORTLIST, 2 * wanted)
        bits = self._by_bits(codes) if size < len(codes) else None
        while True:
            rows = _first(bits, size) if bits is not None and size < len(codes) else np.arange(len(codes))
            if has_twins:
                rows = rows[np.unique(codes.ids[rows], return_index=True)[1]]
            if len(rows) <= wanted:
                chosen = np.ones(len(rows), bool)
                break
            estimates, errors = self._estimates(codes.words[:, rows], codes.squares[rows], codes.scales[rows])
            # The nearest that each row may be, to compare with the k-th.
            nearest = estimates - confidence * errors
            chosen = nearest <= np.partition(estimates, k - 1)[k - 1]
            if at_least > k:
                chosen |= estimates <= np.partition(estimates, at_least - 1)[at_least - 1]
            count = int(np.count_nonzero(chosen))
            if size >= min(len(codes), copies * _SHORTLIST_FACTOR * count):
                break
            # Too many for comfort: some may have been missed by their bits. Look farther.
            size = 2 * copies * _SHORTLIST_FACTOR * count
        most = _MOST + _MOST_PER_ROW * wanted
        if np.count_nonzero(chosen) > most:
            chosen = np.argsort(nearest, kind="stable")[:most]
        ids: Ids = codes.ids[rows[chosen]]
        return ids

    def estimates(self, codes: Codes) -> tuple[Matrix, Matrix]:
        """Estimates of ‖q − x‖² − ‖q − m‖² and their standard errors: float32 (n,) each."""
        return self._estimates(codes.words, codes.squares, codes.scales)

    def _estimates(self, words: Words, squares: Matrix, scales: Matrix) -> tuple[Matrix, Matrix]:
        dimensions = len(self.residual)
        spread = np.maximum(dimensions * scales * scales - squares, 0)
        errors = np.sqrt(spread) * (2 * self.length / max(dimensions - 1, 1) ** 0.5)
        estimates: Matrix = squares - 2 * scales * self._signed_sums(words)
        return estimates, errors

    def _by_bits(self, codes: Codes) -> npt.NDArray[Any]:
        """How far all rows are by their bits alone: (n,), smaller is nearer."""
        differing: npt.NDArray[Any] = hamming(codes.words, self.code)
        if self.is_by_angle:
            return differing
        # Lengths differ, so the bits stand for ⟨q, s⟩ ≈ ‖q‖₁ (1 − 2 · share of differing bits).
        span = np.abs(self.residual).sum()
        distances: npt.NDArray[Any] = codes.squares - 2 * span * codes.scales * (
            1 - differing * np.float32(2 / len(self.residual))
        )
        return distances

    def _signed_sums(self, words: Words) -> Matrix:
        """⟨q − m, s⟩ of every column, s being the signs as ±1: float32 (n,)."""
        height, rows = words.shape
        sums = np.empty(rows, dtype=np.float32)
        for start in range(0, rows, _UNPACKED):
            block = np.ascontiguousarray(words[:, start : start + _UNPACKED].T)
            octets = block.view(np.uint8).reshape(-1, 8 * height)
            bits = np.unpackbits(octets, axis=1, count=len(self.residual), bitorder="little")
            sums[start : start + _UNPACKED] = bits.astype(np.float32) @ self.residual
        signed: Matrix = 2 * sums - self.residual.sum()
        return signed


def _first(measure: npt.NDArray[Any], count: int) -> npt.NDArray[np.intp]:
    """Where the `count` smallest of n > count values are, with those at the edge that are equal, ascending.

    Of these only the first, where they would double the number.
    """
    # partition() of small integers is vectorised, argpartition() is not: 0.03 against 0.29 ms.
    edge = np.partition(measure, count)[count]
    rows: npt.NDArray[np.intp] = (measure <= edge).nonzero()[0]
    if len(rows) > 2 * count:
        nearer = (measure < edge).nonzero()[0]
        rows = np.concatenate((nearer, (measure == edge).nonzero()[0][: count - len(nearer)]))
        rows.sort()
    return rows


def hamming(words: Words, code: Words) -> npt.NDArray[Any]:
    """Differing bits between every column of `words` (w, n) and `code` (w,): uint16 (n,), or uint32 from
    65,536 dimensions on.

    One XOR, one popcount and one addition a word, over blocks that stay in the cache: 0.1 ms for
    30,000 × 384 bits. Three words at a time are summed in a byte, which holds their 192 bits.
    """
    height, rows = words.shape
    distances = np.zeros(rows, dtype=np.uint16 if height * 64 < 2**16 else np.uint32)
    differing = np.empty(min(_BLOCK, rows), dtype=np.uint64)
    bits, sums = np.empty((2, len(differing)), dtype=np.uint8)
    for start in range(0, rows, _BLOCK):
        block = distances[start : start + _BLOCK]
        end = start + len(block)
        xor, ones, some = differing[: len(block)], bits[: len(block)], sums[: len(block)]
        for first in range(0, height, 3):
            np.bitwise_xor(words[first, start:end], code[first], out=xor)
            np.bitwise_count(xor, out=some)
            for word in range(first + 1, min(first + 3, height)):
                np.bitwise_xor(words[word, start:end], code[word], out=xor)
                np.bitwise_count(xor, out=ones)
                np.add(some, ones, out=some)
            np.add(block, some, out=block)
    return distances


def _pack(residuals: Matrix) -> Words:
    """The signs of (n, d) as words (ceil(d / 64), n): a bit is set where the component is above zero."""
    rows, dimensions = residuals.shape
    if dimensions % 64 == 0:
        octets = np.packbits(residuals > 0, axis=1, bitorder="little")
        return np.ascontiguousarray(octets.view(np.dtype("<u8")).T, dtype=np.uint64)
    packed = np.zeros((rows, 8 * words_of(dimensions)), dtype=np.uint8)
    packed[:, : -(-dimensions // 8)] = np.packbits(residuals > 0, axis=1, bitorder="little")
    return np.ascontiguousarray(packed.view(np.dtype("<u8")).T, dtype=np.uint64)

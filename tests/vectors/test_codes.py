"""Codes hold what they say, count differing signs, and estimate distances without bias."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectors.codec import unit
from vectors.errors import CorruptIndex
from vectors.index.codes import CodedQuery, Codes, encode, hamming

SHAPES = (
    st.integers(1, 200),
    st.integers(1, 60),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["cosine", "l2"]),
)


def cloud(rows: int, dimensions: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, dimensions)).astype(np.float32)


def coded(matrix: np.ndarray, metric: str = "cosine") -> tuple[Codes, np.ndarray, np.ndarray]:
    """Codes around the mean, the mean, and the rows less the mean."""
    rows = unit(matrix) if metric == "cosine" else matrix
    middle = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    return encode(np.arange(1, len(matrix) + 1), matrix, middle, metric), middle, rows - middle


@given(*SHAPES)
def test_the_bits_are_the_signs(dimensions, rows, seed, metric):
    codes, _, residuals = coded(cloud(rows, dimensions, seed), metric)
    octets = np.ascontiguousarray(codes.words.T).astype("<u8").view(np.uint8)
    bits = np.unpackbits(octets, axis=1, bitorder="little")
    assert np.array_equal(bits[:, :dimensions], residuals > 0)
    assert not bits[:, dimensions:].any()


@given(*SHAPES)
def test_hamming_counts_differing_signs(dimensions, rows, seed, metric):
    codes, _, residuals = coded(cloud(rows, dimensions, seed), metric)
    expected = ((residuals > 0) != (residuals[0] > 0)).sum(axis=1)
    assert hamming(codes.words, codes.words[:, 0]).tolist() == expected.tolist()


@given(*SHAPES)
def test_the_estimate_is_its_formula(dimensions, rows, seed, metric):
    codes, middle, residuals = coded(cloud(rows, dimensions, seed), metric)
    query = cloud(1, dimensions, seed + 1)[0]
    query = unit(query) if metric == "cosine" else query
    signs = np.where(residuals > 0, 1.0, -1.0)
    squares = (residuals.astype(np.float64) ** 2).sum(axis=1)
    sums = np.abs(residuals.astype(np.float64)).sum(axis=1)
    scales = np.divide(squares, sums, out=np.zeros_like(squares), where=sums > 0)
    expected = squares - 2 * scales * (signs @ (query - middle).astype(np.float64))
    found, _ = CodedQuery.of(query, middle, metric).estimates(codes)
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@pytest.mark.parametrize("dimensions", [96, 384])
def test_the_estimate_has_no_bias_and_the_error_that_it_says(metric, dimensions):
    matrix = cloud(4_000, dimensions, 7) + 0.3
    if metric == "l2":
        matrix *= np.linspace(0.5, 2, len(matrix), dtype=np.float32)[:, np.newaxis]
    codes, middle, residuals = coded(matrix[1:], metric)
    query = unit(matrix[0]) if metric == "cosine" else matrix[0]
    true = ((query - middle - residuals) ** 2).sum(axis=1) - ((query - middle) ** 2).sum()
    estimates, errors = CodedQuery.of(query, middle, metric).estimates(codes)
    standardised = (estimates - true) / errors
    assert abs(standardised.mean()) < 0.05
    assert standardised.std() == pytest.approx(1, abs=0.05)


@given(*SHAPES, st.integers(1, 80))
def test_at_least_as_many_candidates_come_as_were_asked_for(dimensions, rows, seed, metric, count):
    codes, middle, _ = coded(cloud(rows, dimensions, seed), metric)
    query = CodedQuery.of(unit(cloud(1, dimensions, seed + 1)[0]), middle, metric)
    for k, at_least in ((count, 0), (1, count)):
        once = query.candidates(codes, min(k, rows), at_least=at_least)
        assert len(set(once)) == len(once) >= min(count, rows)
        twins = Codes.joined([codes, codes])
        assert sorted(query.candidates(twins, min(k, rows), at_least=at_least, has_twins=True)) == sorted(
            once
        )


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@pytest.mark.parametrize("k", [1, 10, 50])
def test_candidates_hold_the_true_nearest(metric, k):
    shares = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        centres = random.standard_normal((8, 96))
        matrix = (centres[random.integers(8, size=2_001)] + random.standard_normal((2_001, 96))).astype("f4")
        codes, middle, residuals = coded(matrix[1:], metric)
        query = unit(matrix[0]) if metric == "cosine" else matrix[0]
        true = codes.ids[np.argsort(((query - middle - residuals) ** 2).sum(axis=1))[:k]]
        found = CodedQuery.of(query, middle, metric).candidates(codes, k, confidence=4.0)
        shares.append(np.isin(true, found).mean())
    assert np.mean(shares) >= 0.99


@given(*SHAPES, st.integers(1, 20))
def test_without_errors_candidates_are_the_best_by_the_estimate(dimensions, rows, seed, metric, count):
    codes, middle, _ = coded(cloud(rows, dimensions, seed), metric)
    query = CodedQuery.of(unit(cloud(1, dimensions, seed + 1)[0]), middle, metric)
    estimates = dict(zip(codes.ids.tolist(), query.estimates(codes)[0].tolist(), strict=True))
    worst = sorted(estimates.values())[min(count, rows) - 1]
    found = query.candidates(codes, min(count, rows), confidence=0.0)
    assert max(estimates[one] for one in found.tolist()) == worst


def test_lengths_count_under_l2():
    near = cloud(400, 128, 5)
    matrix = np.concatenate([near, 30 * near])
    codes, middle, _ = coded(matrix, "l2")
    assert set(CodedQuery.of(near[7], middle, "l2").candidates(codes, 10)) <= set(range(1, 401))


def test_of_equal_rows_the_first_are_taken_and_not_too_many():
    codes, middle, _ = coded(np.ones((20_000, 64), np.float32))
    found = CodedQuery.of(unit(np.ones(64, "f4")), middle, "cosine").candidates(codes, 50)
    assert sorted(found.tolist()) == list(range(1, 2_501))


@given(*SHAPES)
def test_a_blob_gives_back_what_it_was_made_of(dimensions, rows, seed, metric):
    codes, _, _ = coded(cloud(rows, dimensions, seed), metric)
    back = Codes.from_blob(codes.to_blob(), dimensions)
    for one, other in zip(fields(codes), fields(back), strict=True):
        assert np.array_equal(one, other)


def test_a_blob_of_another_length_is_refused():
    codes, _, _ = coded(cloud(3, 100, 1))
    for blob in (codes.to_blob()[:-1], codes.to_blob() + b"x", b"x"):
        with pytest.raises(CorruptIndex, match="multiple of 32 bytes"):
            Codes.from_blob(blob, 100)
    assert len(Codes.from_blob(b"", 100)) == 0


def test_rows_can_be_picked_and_joined():
    codes, _, _ = coded(cloud(9, 70, 1))
    parts = [codes[:3], codes[np.arange(9) >= 3]]
    for one, other in zip(fields(codes), fields(Codes.joined(parts)), strict=True):
        assert np.array_equal(one, other)


def test_hamming_works_across_blocks_and_counts_past_a_byte():
    words = np.zeros((6, 70_000), np.uint64)
    words[:, ::2] = ~np.uint64(0)
    distances = hamming(words, np.zeros(6, np.uint64))
    assert set(distances[::2].tolist()) == {384}
    assert distances[1::2].max() == 0


def test_it_counts_every_bit_of_the_largest_vectors():
    words = np.full((1024, 1), ~np.uint64(0))
    assert hamming(words, np.zeros(1024, np.uint64)).tolist() == [65_536]


def fields(codes: Codes) -> tuple[np.ndarray, ...]:
    return codes.ids, codes.words, codes.squares, codes.scales

"""Blobs are bit-exact, bad vectors are refused, and codes count differing signs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from vectors.codec import affinity, as_matrix, as_vector, centre, from_blobs, hamming, sign_codes, to_blob
from vectors.errors import InvalidVector

SANE = st.floats(-1e6, 1e6, width=32)


@given(npst.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 70)), elements=SANE))
def test_it_reads_back_the_bits_it_wrote(matrix):
    blobs = [to_blob(row) for row in matrix]
    assert from_blobs(blobs, matrix.shape[1]).tobytes() == matrix.astype("<f4").tobytes()


def test_it_writes_little_endian_whatever_the_byte_order_of_the_array():
    assert to_blob(np.array([1.0], ">f4")) == b"\x00\x00\x80\x3f"


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.float16, np.float64, ">f4"])
def test_it_takes_numbers_of_any_width(dtype):
    matrix = as_matrix(np.array([[1, 2]], dtype), 2, "cosine")
    assert matrix.dtype == np.dtype("<f4")
    assert matrix.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("values", "got"),
    [
        ([[1.0, 2.0, 3.0]], "3 dimensions"),
        ([1.0, 2.0], "shape (2,)"),
        ([[1.0, float("nan")]], "nan at row 0, dimension 1"),
        ([[1.0, 0.0], [float("-inf"), 1.0]], "-inf at row 1, dimension 0"),
        ([[0.0, 0.0]], "row 0"),
        ([[1e-30, 0.0]], "row 0"),
        ([[1e30, 0.0]], "row 0"),
        ([[1e300, 0.0]], "row 0"),
        ([[True, False]], "type bool"),
        ([["1", "2"]], "type <U1"),
        ([[1.0], [1.0, 2.0]], "different lengths"),
        ([[1j, 0]], "type complex128"),
    ],
)
def test_it_refuses_what_libsql_would_store_without_a_word(values, got):
    with pytest.raises(InvalidVector) as caught:
        as_matrix(values, 2, "cosine")
    assert got in caught.value.got


def test_it_takes_a_zero_vector_under_l2_only():
    assert as_vector([0, 0], 2, "l2").tolist() == [0, 0]
    with pytest.raises(InvalidVector, match="no direction"):
        as_vector([0, 0], 2, "cosine")


@pytest.mark.parametrize("values", [[[1.0, 2.0]], 1.0, "12", None])
def test_it_refuses_anything_but_one_list_for_one_vector(values):
    with pytest.raises(InvalidVector):
        as_vector(values, 2, "cosine")


@given(st.integers(1, 200), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_hamming_equals_the_count_of_differing_signs(dimensions, rows, seed):
    matrix = np.random.default_rng(seed).standard_normal((rows, dimensions)).astype(np.float32)
    middle = centre(matrix)
    codes = sign_codes(matrix, middle)
    assert codes.shape == (-(-dimensions // 64), rows)
    signs = matrix / np.linalg.norm(matrix, axis=1, keepdims=True).astype(np.float32) > middle
    expected = (signs != signs[0]).sum(axis=1)
    # Rounding may flip a component that is all but equal to the mean.
    assert np.abs(hamming(codes, codes[:, 0]).astype(int) - expected).max() <= 1


@given(st.integers(1, 200), st.integers(1, 1_100), st.integers(0, 2**32 - 1))
def test_affinity_sums_the_query_where_bits_are_set(dimensions, rows, seed):
    random = np.random.default_rng(seed)
    matrix, query = random.standard_normal((rows, dimensions)), random.standard_normal(dimensions)
    codes = sign_codes(matrix.astype("f4"), np.zeros(dimensions, "f4"))
    expected = (matrix.astype("f4") > 0) @ query
    assert np.allclose(affinity(codes, query.astype("f4")), expected, atol=1e-4)


def test_hamming_works_across_blocks_and_counts_past_a_byte():
    codes = np.zeros((6, 20_000), np.uint64)
    codes[:, ::2] = ~np.uint64(0)
    distances = hamming(codes, np.zeros(6, np.uint64))
    assert distances[0] == 384
    assert distances[1::2].max() == 0


def test_it_counts_every_bit_of_the_largest_vectors():
    codes = np.full((1024, 1), ~np.uint64(0))
    assert hamming(codes, np.zeros(1024, np.uint64)).tolist() == [65_536]

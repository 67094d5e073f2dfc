"""Blobs are bit-exact, bad vectors are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from vectors.codec import as_matrix, as_vector, from_blobs, to_blob, unit
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


@given(npst.arrays(np.float32, st.integers(1, 70), elements=SANE).filter(lambda row: (row**2).sum() > 1e-20))
def test_a_unit_vector_has_the_length_one(vector):
    for one in (unit(vector), unit(vector[np.newaxis])[0]):
        assert np.linalg.norm(one.astype(np.float64)) == pytest.approx(1, abs=1e-6)
        assert np.allclose(one * np.linalg.norm(vector.astype(np.float64)), vector, rtol=1e-5)


def test_zero_has_no_direction_to_keep():
    assert unit(np.zeros(3, "f4")).tolist() == unit(np.zeros((1, 3), "f4"))[0].tolist() == [0, 0, 0]

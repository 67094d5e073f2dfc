"""Centroids lie where the rows are, and each row is in two lists."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectors.index.kmeans import centroids_of, two_lists


def blobs(count: int, rows: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    centres = 10 * random.standard_normal((count, 16))
    return centres, (centres[np.arange(rows) % count] + random.standard_normal((rows, 16))).astype("f4")


def test_centroids_of_well_apart_groups_are_their_means():
    centres, rows = blobs(5, 1_000)
    found = centroids_of(rows, 15)  # with five, two that start in one group would leave another without
    distances = np.linalg.norm(found[:, np.newaxis] - centres[np.newaxis], axis=2)
    assert distances.min(axis=0).max() < 4
    assert distances.min(axis=1).max() < 4


def test_the_error_falls_as_there_are_more():
    _, rows = blobs(20, 2_000)

    def error(count: int) -> float:
        centroids = centroids_of(rows, count)
        first = two_lists(rows, centroids)[:, 0]
        return float(((rows - centroids[first]) ** 2).sum())

    assert error(4) > error(16) > error(64)


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_equal_rows_have_one_centroid(count):
    found = centroids_of(np.ones((50, 8), "f4"), count)
    assert found.tolist() == [[1.0] * 8]
    assert two_lists(np.ones((50, 8), "f4"), found).tolist() == [[0]] * 50


def test_few_different_rows_have_a_centroid_each():
    rows = np.repeat(np.eye(3, 8, dtype="f4"), 20, axis=0)
    found = centroids_of(rows, 10)
    assert sorted(found.tolist()) == sorted(np.eye(3, 8).tolist())


@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_each_row_is_in_the_nearest_list_and_in_another(rows, dimensions, count, seed):
    matrix = np.random.default_rng(seed).standard_normal((rows, dimensions)).astype("f4")
    centroids = centroids_of(matrix, count)
    assert 1 <= len(centroids) <= min(count, rows)
    assert np.isfinite(centroids).all()
    both = two_lists(matrix, centroids)
    distances = ((matrix[:, np.newaxis] - centroids[np.newaxis]) ** 2).sum(axis=2)
    assert np.allclose(distances[np.arange(rows), both[:, 0]], distances.min(axis=1), atol=1e-4)
    if len(centroids) > 1:
        assert (both[:, 0] != both[:, 1]).all()
    assert both.min() >= 0
    assert both.max() < len(centroids)


def test_the_second_list_serves_queries_that_the_first_serves_badly():
    # x lies between b and c, both equally far; seen from a, its nearest, c is at a right angle, b is not.
    centroids = np.array([[0, 0], [3, 0], [1, 2.0]], "f4")
    assert two_lists(np.array([[1.0, 0.0]], "f4"), centroids).tolist() == [[0, 2]]


def test_blocks_make_no_difference(monkeypatch):
    _, rows = blobs(9, 500)
    whole = centroids_of(rows, 9)
    both = two_lists(rows, whole)
    monkeypatch.setattr("vectors.index.kmeans._BLOCK_BYTES", 1_000)
    assert np.allclose(centroids_of(rows, 9), whole)
    assert np.array_equal(two_lists(rows, whole), both)

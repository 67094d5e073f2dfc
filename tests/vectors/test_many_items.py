"""A hundred thousand items in one call: all of them are written, or none."""

import numpy as np
import pytest

from tests.vectors.clouds import keys, near
from vectors import store, strategies
from vectors.errors import InvalidItem, InvalidVector
from vectors.store import Item

ROWS = 100_000
DIMENSIONS = 8


@pytest.fixture(autouse=True)
def _fresh() -> None:
    strategies.forget()


def vectors() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((ROWS, DIMENSIONS)).astype("f4")


@pytest.mark.django_db(transaction=True)
def test_python_writes_them_in_one_transaction_or_none() -> None:
    matrix = vectors()
    collection = store.create_collection("many", embedder="", dimensions=DIMENSIONS)
    items = [Item(f"k{at}", f"row {at}", vector=row) for at, row in enumerate(matrix)]
    for bad, error in (
        (Item("bad", "x", vector=matrix[0] * np.nan), InvalidVector),
        (Item("k7", "x", vector=matrix[0]), InvalidItem),
    ):
        with pytest.raises(error, match=r"items\[100000\]\."):
            store.upsert(collection, [*items, bad])
        assert store.count(collection) == 0
    result = store.upsert(collection, items)
    assert (result.inserted, store.count(collection)) == (ROWS, ROWS)
    for at in (0, ROWS // 2, ROWS - 1):
        assert keys(near(collection, matrix[at], k=1, strategy="exact")) == [f"k{at}"]

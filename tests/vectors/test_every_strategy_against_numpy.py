"""What a strategy finds is what NumPy measures, and there is as much of it as there should be."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vectors.clouds import near
from vectors import store
from vectors.index.training import rebuild
from vectors.models import Collection
from vectors.store import Item
from vectors.strategies import STRATEGIES

pytestmark = pytest.mark.django_db(transaction=True)

DIMENSIONS = 6
# Few values, so that embeddings, distances and metadata are often the same.
_VECTORS = st.lists(st.sampled_from([-1, 0, 0, 2]), min_size=DIMENSIONS, max_size=DIMENSIONS).filter(any)
_ROWS = st.lists(st.tuples(_VECTORS, st.integers(0, 2)), max_size=25)
_FILTERS: list[tuple[Any, Callable[[int], bool]]] = [
    (None, lambda _: True),
    ({"n": 1}, lambda n: n == 1),
    ({"not": {"n": 1}}, lambda n: n != 1),
    ({"n": 7}, lambda _: False),
]
# A change is rows to add, keys to write again (every n-th) and to delete (every m-th), and what to build.
_CHANGES = st.tuples(
    _ROWS, st.integers(3, 9), st.integers(2, 9), st.sampled_from([None, "quantised", "ivf", "diskann"])
)
_QUESTIONS = st.tuples(_VECTORS, st.sampled_from([1, 3, 10, 1_000]), st.sampled_from(_FILTERS))
_names = count(1)


@dataclass
class Reference:
    """All rows there are, by key: embedding and metadata."""

    metric: str
    rows: dict[str, tuple[list[int], int]] = field(default_factory=dict)

    def distances(self, query: list[int], matches: Callable[[int], bool]) -> dict[str, float]:
        found = {key: vector for key, (vector, n) in self.rows.items() if matches(n)}
        if not found:
            return {}
        matrix, one = np.array(list(found.values()), "f8"), np.array(query, "f8")
        if self.metric == "l2":
            distances = np.linalg.norm(matrix - one, axis=1)
        else:
            distances = 1 - matrix @ one / (np.linalg.norm(matrix, axis=1) * np.linalg.norm(one))
        return dict(zip(found, distances.tolist(), strict=True))


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vectors.index.blocks.STRIDE", 2)
    monkeypatch.setattr("vectors.index.blocks.MIN_ROWS", 5)
    monkeypatch.setattr("vectors.index.blocks._BLOCK_BYTES", 24 * 4)
    monkeypatch.setattr("vectors.index.codes._MIN_SHORTLIST", 4)
    monkeypatch.setattr("vectors.index.training._PART_BYTES", 24 * 4)


@pytest.mark.usefixtures("_small")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(_CHANGES, min_size=1, max_size=3),
    questions=st.lists(_QUESTIONS, min_size=1, max_size=3),
    metric=st.sampled_from(["cosine", "l2"]),
)
def test_what_is_found_is_what_numpy_measures(changes: list[Any], questions: list[Any], metric: str) -> None:
    collection = store.create_collection(
        f"c{next(_names)}", embedder="", dimensions=DIMENSIONS, metric=metric
    )
    reference, numbers = Reference(metric), count()
    for rows, again, gone, built in changes:
        change(collection, reference, [(f"k{next(numbers)}", *row) for row in rows], again, gone)
        if built:
            rebuild(collection, strategy=built)
        for vector, k, (condition, matches) in questions:
            expected = reference.distances(vector, matches)
            for strategy in STRATEGIES:
                hits = near(collection, np.array(vector, "f4"), k, filter=condition, strategy=strategy).hits
                compare(hits, expected, k, is_exact=strategy == "exact")
    collection.delete()


def change(
    collection: Collection,
    reference: Reference,
    rows: list[tuple[str, list[int], int]],
    again: int,
    gone: int,
) -> None:
    """Add rows, write some with the embedding of another, delete some, here and there."""
    old = list(reference.rows.items())
    for (key, _), (_, (vector, n)) in zip(old[::again], old[::-1], strict=False):
        rows.append((key, vector, n))
    store.upsert(collection, [Item(key, "x", vector=vector, metadata={"n": n}) for key, vector, n in rows])
    reference.rows |= {key: (vector, n) for key, vector, n in rows}
    doomed = list(reference.rows)[::gone]
    store.delete(collection, doomed)
    for key in doomed:
        del reference.rows[key]


def compare(hits: list[Any], expected: dict[str, float], k: int, *, is_exact: bool) -> None:
    found = [hit.key for hit in hits]
    assert len(set(found)) == len(found) == min(k, len(expected))
    measured = [hit.distance for hit in hits]
    assert measured == pytest.approx([expected[key] for key in found], abs=1e-5)
    assert [(hit.distance, hit.id) for hit in hits] == sorted((hit.distance, hit.id) for hit in hits)
    nearest = sorted(expected.values())[: len(found)]
    if is_exact:
        assert measured == pytest.approx(nearest, abs=1e-5)
    assert all(one >= best - 1e-5 for one, best in zip(measured, nearest, strict=True))

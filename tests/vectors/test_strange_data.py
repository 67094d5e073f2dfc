"""Indexes of very few rows, of equal ones, and of what no caller may write: each finds what NumPy finds."""

import numpy as np
import pytest

from tests.vectors.clouds import DIMENSIONS, add, cloud, collect, keys, near, state
from vectors import store, strategies
from vectors.codec import to_blob
from vectors.errors import InvalidVector
from vectors.index.training import rebuild
from vectors.models import Collection
from vectors.rows import execute
from vectors.search import search
from vectors.store import Item
from vectors.strategies import STRATEGIES
from vectors.upkeep.tuning import apply, tune
from vectors.upkeep.verifying import repair, verify

pytestmark = pytest.mark.django_db(transaction=True)

BUILT = ("quantised", "ivf", "diskann")


@pytest.fixture(autouse=True)
def _fresh() -> None:
    strategies.forget()


def distances(matrix: np.ndarray, query: np.ndarray, metric: str) -> np.ndarray:
    rows, one = matrix.astype("f8"), query.astype("f8")
    if metric == "l2":
        return np.linalg.norm(rows - one, axis=1)
    return 1 - rows @ one / (np.linalg.norm(rows, axis=1) * np.linalg.norm(one))


def check(collection: Collection, matrix: np.ndarray, query: np.ndarray, k: int = 10) -> None:
    """The hits of every strategy are the `k` nearest rows of `matrix`, whichever of equal ones they are."""
    expected = np.sort(distances(matrix, query, collection.metric))[:k]
    for strategy in STRATEGIES:
        hits = near(collection, query, k=k, strategy=strategy).hits
        assert np.allclose([hit.distance for hit in hits], expected, rtol=1e-5, atol=1e-5), strategy
        assert len({hit.key for hit in hits}) == len(hits)


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@pytest.mark.parametrize("built", BUILT)
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_three_rows_are_trained_on(built: str, metric: str, rows: int) -> None:
    matrix = cloud(rows + 1)
    collection = collect(matrix[:rows], built, metric=metric)
    for lists in (None, 1, 2, 1_000) if built == "ivf" else (None,):
        made = rebuild(collection, strategy=built, lists=lists)
        assert made.lists <= rows
        for query in matrix:
            check(collection, matrix[:rows], query)
    add(collection, matrix[rows:], rows)
    check(collection, matrix, matrix[rows])
    assert verify(collection).findings == []


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@pytest.mark.parametrize("built", ["quantised", "ivf"])
@pytest.mark.parametrize("others", [0, 1, 3])
def test_equal_rows_and_a_few_others_are_trained_on(built: str, metric: str, others: int) -> None:
    matrix = np.repeat(cloud(1), 1_300, axis=0)
    strange = [700, 1, 1_299][:others]
    matrix[strange] = cloud(3, seed=5)[:others]
    collection = collect(matrix, built, metric=metric)
    made = rebuild(collection, strategy=built)
    assert made.lists <= 1 + others
    for query in (matrix[0], *matrix[strange]):
        check(collection, matrix, query, k=1)
        check(collection, matrix, query, k=10)
    tuning = tune(collection, sample=20)
    apply(collection, tuning)
    for query in (matrix[0], *matrix[strange]):
        check(collection, matrix, query)
    assert verify(collection).findings == []


def test_zeros_are_rows_too_under_l2() -> None:
    matrix = np.zeros((1_200, DIMENSIONS), "f4")
    matrix[600:] = cloud(600)
    collection = collect(matrix, "ivf", metric="l2")
    rebuild(collection, lists=10)
    check(collection, matrix, matrix[0], k=5)
    check(collection, matrix, matrix[0] + np.float32(0.01), k=5)
    check(collection, matrix, matrix[900], k=1)
    assert verify(collection).findings == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_and_leaves_all_as_it_was(bad: float) -> None:
    matrix = cloud(1_200)
    collection = collect(matrix, "ivf")
    made = rebuild(collection, lists=10)
    row = cloud(1, seed=3)[0]
    items = [Item("good", "x", vector=row), Item("bad", "x", vector=np.where(row == row[3], bad, row))]
    with pytest.raises(InvalidVector, match=r"items\[1\].*finite"):
        store.upsert(collection, items)
    with pytest.raises(InvalidVector, match="finite"):
        near(collection, items[1].vector)
    with pytest.raises(InvalidVector, match="finite"):
        tune(collection, queries=[items[1].vector])
    assert store.count(collection) == 1_200
    assert (state(collection).version, state(collection).rows) == (made.version, made.rows)
    check(collection, matrix, matrix[8], k=1)


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_bad_row_that_another_program_wrote_spoils_no_index(bad: float, metric: str) -> None:
    matrix = cloud(1_500)
    collection = collect(matrix, "ivf", metric=metric)
    for at in (0, 700):
        broken = matrix[at].copy()
        broken[3] = bad
        statement = f"UPDATE vec_{collection.pk}_vectors SET embedding = %s WHERE id = %s"
        execute("default", (statement, [to_blob(broken), at + 1]))
    made = rebuild(collection, lists=20)
    assert (made.rows, made.lists) == (1_500, 20)
    assert np.isfinite(made.middle).all()
    strategies.forget()
    for strategy in ("quantised", "ivf"):
        for at in (1, 699, 701, 1_499):
            found = near(collection, matrix[at], strategy=strategy)
            assert (found.plan["strategy"], keys(found)[0]) == (strategy, f"k{at}")
    report = verify(collection)
    assert [(one.check, set(one.examples)) for one in report.findings] == [("embeddings", {"k0", "k700"})]
    assert repair(collection, report).findings == report.findings
    add(collection, matrix, 0)  # those two have the content that they had at first
    assert verify(collection).findings == []
    check(collection, matrix, matrix[700], k=1)


def test_a_collection_begins_its_codes_beside_a_bad_row() -> None:
    matrix = cloud(2_000)
    collection = collect(matrix[:900])
    statement = f"UPDATE vec_{collection.pk}_vectors SET embedding = %s WHERE id = 5"
    execute("default", (statement, [to_blob(np.full(DIMENSIONS, np.nan, "f4"))]))
    add(collection, matrix[900:], 900)
    assert np.isfinite(state(collection).middle).all()
    near(collection, matrix[0])
    found = near(collection, matrix[1_500])
    assert (found.plan["strategy"], keys(found)[0]) == ("quantised", "k1500")


@pytest.mark.parametrize("scale", [1e-6, 1, 300, 1e6])
def test_tuning_finds_the_same_whatever_the_lengths(scale: float) -> None:
    collection = collect(cloud(1_500) * np.float32(scale), "ivf", metric="l2")
    rebuild(collection, lists=20)
    tuning = tune(collection, target=0.9, sample=40)
    recalls = {trial.strategy: trial.recall for trial in tuning.trials}
    assert recalls["exact"] == 1
    worst = min(trial.recall for trial in tuning.trials)
    assert worst < 1  # it still tells settings apart


def test_tuning_finds_the_same_far_off_the_origin() -> None:
    matrix = cloud(1_500) + np.float32(3_000)
    collection = collect(matrix, "quantised", metric="l2")
    rebuild(collection)
    tuning = tune(collection, target=0.9, sample=40)
    assert next(trial.recall for trial in tuning.trials if trial.strategy == "exact") == 1
    check(collection, matrix, matrix[3], k=5)


@pytest.mark.parametrize("mode", ["semantic", "hybrid"])
@pytest.mark.parametrize("strategy", ["exact", "quantised", "ivf"])
def test_a_row_that_another_program_spoiled_takes_no_place(mode, strategy):
    matrix = cloud(1_200)
    collection = collect(matrix)
    rebuild(collection, lists=12)
    spoiled = np.full(DIMENSIONS, np.nan, "<f4").tobytes()
    execute(
        "default",
        (f"UPDATE vec_{collection.pk}_vectors SET embedding = %s WHERE id IN (3, 9) RETURNING 1", [spoiled]),
    )
    for query in (None, "row"):
        found = search(collection, query, vector=matrix[7], k=3, mode=mode, strategy=strategy)
        assert found.hits[0].key == "k7"
        assert len(found.hits) == 3
        assert not {"k2", "k8"} & {hit.key for hit in found.hits}

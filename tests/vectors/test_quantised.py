"""Codes in memory never lose a row: not a new one, not one behind a filter, not after a rollback."""

import threading

import numpy as np
import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vectors import store, strategies
from vectors.errors import InvalidQuery
from vectors.search import search
from vectors.store import Item
from vectors.strategies import codes
from vectors.strategies.codes import registry

DIMENSIONS = 96
COMMITTED = pytest.mark.django_db(transaction=True)


def cloud(rows: int, seed: int = 1) -> np.ndarray:
    """Vectors with structure: around 20 centres, off the origin, as embeddings are."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((20, DIMENSIONS)) + 0.5
    return (
        centres[random.integers(20, size=rows)] + 0.5 * random.standard_normal((rows, DIMENSIONS))
    ).astype("f4")


def collect(matrix: np.ndarray, strategy: str = "quantised", using: str | None = None, **options):
    collection = store.create_collection(
        "cloud", embedder="", dimensions=DIMENSIONS, strategy=strategy, using=using, **options
    )
    add(collection, matrix, 0)
    return collection


def add(collection, matrix: np.ndarray, first: int) -> None:
    store.upsert(
        collection,
        [
            Item(
                f"k{first + at}",
                f"row {at}",
                vector=row,
                metadata={"n": first + at, "mod": (first + at) % 50},
            )
            for at, row in enumerate(matrix)
        ],
    )


def near(collection, vector, k: int = 10, **options):
    return search(collection, vector=vector, k=k, mode="semantic", **options)


def keys(result) -> list[str]:
    return [hit.key for hit in result.hits]


def snapshot():
    (cache,) = registry._caches.values()
    return cache.snapshot


@COMMITTED
def test_it_finds_what_an_exact_search_finds():
    matrix = cloud(3_040)
    collection = collect(matrix[:3_000])
    probes = matrix[3_000:]
    found = [set(keys(near(collection, probe))) for probe in probes]
    truth = [set(keys(near(collection, probe, strategy="exact"))) for probe in probes]
    assert np.mean([len(a & b) / 10 for a, b in zip(found, truth, strict=True)]) >= 0.99
    plan = near(collection, probes[0]).plan
    assert plan["strategy"] == "quantised"
    assert (plan["scanned"], plan["reranked"], plan["exhaustive"]) == (3_000, 150, False)


@COMMITTED
def test_distances_are_exact():
    matrix = cloud(1_000)
    collection = collect(matrix)
    hit = near(collection, matrix[7]).hits[0]
    assert hit.key == "k7"
    assert hit.distance == pytest.approx(0, abs=1e-6)
    assert hit.similarity == pytest.approx(1, abs=1e-6)


@COMMITTED
def test_a_new_row_is_found_at_once_and_absorbed_later():
    collection = collect(cloud(1_000))
    new = cloud(600, seed=3)
    near(collection, new[0])
    add(collection, new[:1], 5_000)
    assert keys(near(collection, new[0]))[0] == "k5000"
    assert len(snapshot()) == 1_000  # scanned exactly, not absorbed
    add(collection, new[1:], 5_001)
    assert keys(near(collection, new[599]))[0] == "k5599"
    assert len(snapshot()) == 1_600
    assert keys(near(collection, new[599]))[0] == "k5599"


@COMMITTED
def test_absorbing_keeps_the_codes_it_has():
    collection = collect(cloud(1_000))
    near(collection, cloud(1)[0])
    before = snapshot()
    add(collection, cloud(300, seed=3), 5_000)
    near(collection, cloud(1)[0])
    assert np.array_equal(snapshot().words[:, :1_000], before.words)
    assert snapshot().middle is before.middle


@COMMITTED
def test_a_collection_that_grew_fivefold_gets_a_new_centre():
    collection = collect(cloud(300))
    near(collection, cloud(1)[0])
    before = snapshot()
    add(collection, cloud(1_300, seed=3) + 1, 5_000)
    near(collection, cloud(1)[0])
    add(collection, cloud(300, seed=4) + 1, 7_000)
    near(collection, cloud(1)[0])
    assert len(snapshot()) == 1_900
    assert not np.allclose(snapshot().middle, before.middle)


@COMMITTED
def test_a_deleted_row_is_gone_at_once():
    matrix = cloud(1_000)
    collection = collect(matrix)
    assert keys(near(collection, matrix[7]))[0] == "k7"
    store.delete(collection, ["k7"])
    assert "k7" not in keys(near(collection, matrix[7]))


@COMMITTED
def test_a_changed_row_is_found_where_it_is_now():
    matrix = cloud(1_000)
    collection = collect(matrix)
    near(collection, matrix[0])
    add(collection, -matrix[7:8], 7)
    assert keys(near(collection, -matrix[7]))[0] == "k7"
    assert "k7" not in keys(near(collection, matrix[7]))


@COMMITTED
def test_mass_deletion_does_not_shorten_the_answer():
    matrix = cloud(2_000)
    collection = collect(matrix)
    probe = matrix[0]
    order = keys(near(collection, probe, k=1_000, strategy="exact"))
    near(collection, probe)
    store.delete(collection, order[:900])
    result = near(collection, probe)
    assert keys(result) == keys(near(collection, probe, strategy="exact"))
    assert len(result.hits) == 10
    assert len(snapshot()) == 1_100  # the codes of what is gone went too
    assert near(collection, probe).plan["strategy"] == "quantised"


@COMMITTED
def test_codes_of_what_is_gone_go_where_all_searches_have_a_filter():
    matrix = cloud(1_000)
    collection = collect(matrix)
    probe, condition = matrix[0], {"n": {"gte": 0}}
    near(collection, probe, filter=condition)
    add(collection, -matrix, 0)  # every row anew, far from the probe
    plans = [near(collection, probe, filter=condition).plan["strategy"] for _ in range(3)]
    assert plans[-1] == "quantised"
    assert len(snapshot()) == 1_000


@COMMITTED
@pytest.mark.parametrize("behind", [0, 500])
def test_rows_that_a_copy_lacked_for_a_while_are_found_when_it_has_caught_up(behind):
    matrix = cloud(1_000)
    collection = collect(matrix)
    near(collection, matrix[0])
    tables = [f"vec_{collection.pk}_{kind}" for kind in ("items", "vectors")]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"CREATE TABLE later_{table} AS SELECT * FROM {table} WHERE id > {behind}")
            cursor.execute(f"DELETE FROM {table} WHERE id > {behind}")
        assert len(near(collection, matrix[900], k=200).hits) == min(behind, 200)
        for table in tables:
            cursor.execute(f"INSERT INTO {table} SELECT * FROM later_{table}")
            cursor.execute(f"DROP TABLE later_{table}")
    assert keys(near(collection, matrix[900]))[0] == "k900"


@COMMITTED
@pytest.mark.parametrize("left", [0, 3])
def test_it_returns_all_rows_where_few_are_left(left):
    matrix = cloud(1_000)
    collection = collect(matrix)
    near(collection, matrix[0])
    store.delete(collection, [f"k{at}" for at in range(left, 1_000)])
    assert len(near(collection, matrix[0]).hits) == left


@COMMITTED
def test_an_id_seen_in_a_rolled_back_transaction_is_not_remembered():
    matrix = cloud(1_000)
    collection = collect(matrix)
    near(collection, matrix[0])
    lost, kept = cloud(300, seed=4), cloud(300, seed=5)
    with transaction.atomic():
        add(collection, lost, 5_000)
        seen = near(collection, lost[0]).hits[0]
        assert seen.key == "k5000"
        transaction.set_rollback(True)
    add(collection, kept, 6_000)
    assert store.get(collection, "k6000").id == seen.id  # AUTOINCREMENT was rolled back too
    for at in range(0, 300, 50):
        assert keys(near(collection, kept[at]))[0] == f"k{6_000 + at}"
    assert len(snapshot()) == 1_300


@pytest.mark.django_db
def test_inside_a_transaction_it_answers_exactly_and_remembers_nothing():
    matrix = cloud(1_000)
    collection = collect(matrix)
    assert connection.in_atomic_block
    assert near(collection, matrix[0]).plan["strategy"] == "exact"
    assert snapshot() is None


@COMMITTED
def test_a_row_deleted_in_an_open_transaction_comes_back_with_the_rollback():
    matrix = cloud(1_000)
    collection = collect(matrix)
    near(collection, matrix[0])
    with transaction.atomic():
        store.delete(collection, [f"k{at}" for at in range(990)])
        assert len(near(collection, matrix[0]).hits) == 10
        transaction.set_rollback(True)
    assert keys(near(collection, matrix[0]))[0] == "k0"
    assert len(snapshot()) == 1_000


@COMMITTED
def test_a_collection_made_anew_under_its_name_starts_fresh():
    first = collect(cloud(600))
    near(first, cloud(1)[0])
    first.delete()
    matrix = cloud(600, seed=9)
    second = collect(matrix)
    assert keys(near(second, matrix[3]))[0] == "k3"


@COMMITTED
def test_another_generation_does_not_use_the_old_codes():
    matrix = cloud(600)
    collection = collect(matrix)
    near(collection, matrix[0])
    # A restored backup: the same ids, other content.
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE vec_{collection.pk}_vectors SET embedding = %s WHERE id = 5", [(-matrix[4]).tobytes()]
        )
    store.renew_generation(collection)
    assert near(collection, -matrix[4]).hits[0].id == 5
    assert len(registry._caches) == 1


@COMMITTED
def test_ties_do_not_blow_up_the_candidates():
    same = np.ones((2_000, DIMENSIONS), "f4")
    collection = collect(same)
    result = near(collection, same[0])
    assert result.plan["reranked"] == 150
    assert keys(result) == [f"k{at}" for at in range(10)]


@COMMITTED
@pytest.mark.parametrize("condition", [{"n": {"gte": 5}}, {"mod": 3}, {"n": 17}, {"n": -1}])
def test_a_filter_never_loses_results(condition):
    matrix = cloud(3_000)
    collection = collect(matrix)
    probe = matrix[100]
    result = near(collection, probe, filter=condition)
    truth = near(collection, probe, filter=condition, strategy="exact")
    assert len(result.hits) == len(truth.hits)
    assert len(set(keys(result)) & set(keys(truth))) >= len(truth.hits) - 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(low=st.integers(0, 1_500), width=st.integers(0, 1_500), k=st.integers(1, 60))
def test_filtered_answers_are_as_long_as_exact_ones(filtered_cloud, low, width, k):
    collection, probe = filtered_cloud
    condition = {"n": {"gte": low, "lt": low + width}}
    result = near(collection, probe, k=k, filter=condition)
    assert len(result.hits) == min(k, max(0, min(1_500, low + width) - low))
    assert all(low <= hit.metadata["n"] < low + width for hit in result.hits)
    distances = [hit.distance for hit in result.hits]
    assert distances == sorted(distances)


@pytest.fixture
def filtered_cloud(transactional_db):
    matrix = cloud(1_500)
    return collect(matrix), matrix[3]


@COMMITTED
def test_hybrid_agrees_between_strategies(fill):
    texts = [f"note {n} about {'cats' if n % 7 == 0 else 'dogs'} number {n * n}" for n in range(500)]
    collection = fill(*texts)
    quantised = search(collection, "cats number 49", strategy="quantised")
    exact = search(collection, "cats number 49", strategy="exact")
    assert quantised.plan["strategy"] == "quantised"
    assert keys(quantised)[:3] == keys(exact)[:3]
    assert all(hit.distance is not None for hit in quantised.hits)


@COMMITTED
def test_auto_stays_exact_where_one_bit_a_dimension_says_too_little():
    collection = collect(cloud(2_100), strategy="auto")
    for _ in range(2):
        assert near(collection, cloud(1)[0]).plan["strategy"] == "exact"


@COMMITTED
def test_auto_is_exact_for_a_small_collection_and_learns_a_large_one(monkeypatch):
    monkeypatch.setattr(strategies, "AUTO_QUANTISED_DIMENSIONS", cloud(1).shape[1])
    small = collect(cloud(100), strategy="auto")
    for _ in range(3):
        assert near(small, cloud(1)[0]).plan["strategy"] == "exact"
    small.delete()
    large = collect(cloud(2_100), strategy="auto")
    assert near(large, cloud(1)[0]).plan["strategy"] == "exact"
    assert near(large, cloud(1)[0]).plan["strategy"] == "quantised"


@COMMITTED
def test_l2_is_searched_exactly():
    matrix = cloud(2_100)
    collection = collect(matrix, strategy="auto", metric="l2")
    for _ in range(2):
        result = near(collection, matrix[5] + 0.001)
        assert result.plan["strategy"] == "exact"
        assert (result.hits[0].key, result.hits[0].similarity) == ("k5", None)
    with pytest.raises(InvalidQuery, match="exact for the metric l2"):
        near(collection, matrix[5], strategy="quantised")


@COMMITTED
def test_old_caches_make_room(monkeypatch):
    monkeypatch.setattr(codes, "_MAX_COLLECTIONS", 2)
    probe = np.ones(4)
    made = [
        store.create_collection(f"c{n}", embedder="", dimensions=4, strategy="quantised") for n in range(3)
    ]
    for collection in made:
        store.upsert(collection, [Item("a", "x", vector=probe)])
        assert keys(near(collection, probe)) == ["a"]
    assert len(registry._caches) == 2
    assert keys(near(made[0], probe)) == ["a"]


def test_threads_search_while_another_writes(file_database):
    matrix = cloud(2_000)
    collection = collect(matrix[:1_000], using=file_database)
    failures: list[BaseException] = []
    done = threading.Event()

    def reader(seed: int) -> None:
        random = np.random.default_rng(seed)
        try:
            while not done.is_set():
                at = int(random.integers(1_000))
                assert keys(near(collection, matrix[at]))[0] == f"k{at}"
        except BaseException as error:  # noqa: BLE001
            failures.append(error)
        finally:
            connections[file_database].close()

    threads = [threading.Thread(target=reader, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for start in range(1_000, 2_000, 100):
        add(collection, matrix[start : start + 100], start)
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert keys(near(collection, matrix[1_999]))[0] == "k1999"
    strategies.forget()


@COMMITTED
def test_ids_that_a_restored_backup_gives_out_again_stand_for_their_new_rows():
    matrix = cloud(1_000)
    collection = collect(matrix)
    near(collection, matrix[0])
    tables = [f"vec_{collection.pk}_{kind}" for kind in ("items", "vectors")]
    with connection.cursor() as cursor:  # what a backup from before the last 40 rows would hold
        for table in tables:
            cursor.execute(f"DELETE FROM {table} WHERE id > 960")
        cursor.execute(f"DELETE FROM vec_{collection.pk}_fts WHERE rowid > 960")
        cursor.execute("UPDATE sqlite_sequence SET seq = 960 WHERE name = %s", [tables[0]])
    near(collection, matrix[0])
    new = -cloud(40, seed=7)
    add(collection, new, 5_000)
    assert store.get(collection, "k5000").id == 961
    assert [keys(near(collection, row))[0] for row in new] == [f"k{5_000 + at}" for at in range(40)]

"""Codes in memory never lose a row: not a new one, not one behind a filter, not after a rollback."""

import numpy as np
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vectors.clouds import DIMENSIONS, add, cloud, collect, keys, near, readers, state
from vectors import store, strategies
from vectors.codec import unit
from vectors.index import blocks, sql
from vectors.index import cache as caching
from vectors.index.cache import registry
from vectors.index.codes import Codes, encode
from vectors.rows import execute
from vectors.search import search
from vectors.sql import Tables
from vectors.store import Item

COMMITTED = pytest.mark.django_db(transaction=True)


def cache():
    """What this process holds of the only collection's index."""
    (one,) = registry._caches.values()
    return one


def held() -> np.ndarray:
    """The ids whose codes it holds."""
    return cache()._flats[0].snapshot.codes.ids


@pytest.fixture(autouse=True)
def _fresh():
    strategies.forget()


@COMMITTED
@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_it_finds_what_an_exact_search_finds(metric):
    matrix = cloud(3_040)
    collection = collect(matrix[:3_000], metric=metric)
    probes = matrix[3_000:]
    found = [set(keys(near(collection, probe))) for probe in probes]
    truth = [set(keys(near(collection, probe, strategy="exact"))) for probe in probes]
    assert np.mean([len(a & b) / 10 for a, b in zip(found, truth, strict=True)]) >= 0.98
    plan = near(collection, probes[0]).plan
    assert plan["strategy"] == "quantised"
    assert (plan["scanned"], plan["probes"], plan["filtered_out"]) == (3_000, 0, 0)
    assert 10 <= plan["reranked"] < 300
    assert not plan["exhaustive"]


@COMMITTED
def test_distances_are_exact():
    matrix = cloud(1_100)
    collection = collect(matrix)
    hit = near(collection, matrix[7]).hits[0]
    assert hit.key == "k7"
    assert hit.distance == pytest.approx(0, abs=1e-6)
    assert hit.similarity == pytest.approx(1, abs=1e-6)


@COMMITTED
def test_a_new_row_is_found_at_once_and_loaded_once_it_is_in_a_block():
    collection = collect(cloud(1_100))
    new = cloud(600, seed=3)
    near(collection, new[0])
    assert len(held()) == 1_100
    add(collection, new[:1], 5_000)
    assert keys(near(collection, new[0]))[0] == "k5000"
    assert len(held()) == 1_100  # measured exactly
    add(collection, new[1:], 5_001)
    assert state(collection).last_id == state(collection).rows == 1_700
    for _ in range(2):
        assert keys(near(collection, new[599]))[0] == "k5599"
    assert len(held()) == 1_700
    assert near(collection, new[599]).plan["scanned"] == 1_700


@COMMITTED
def test_single_inserts_become_blocks_now_and_then():
    collection = collect(cloud(1_100))
    near(collection, cloud(1)[0])
    for at, row in enumerate(cloud(320, seed=3)):
        add(collection, row[np.newaxis], 5_000 + at)
        assert keys(near(collection, row, k=1)) == [f"k{5_000 + at}"]
    rows = execute("default", sql.blocks_after(Tables.of(collection), state(collection).version, 0, 100))
    assert [last_id for last_id, _ in rows][-1] == state(collection).last_id == 1_408
    assert len(rows) == 2  # the first is large enough, and the other grew
    ids = np.concatenate([Codes.from_blob(blob, DIMENSIONS).ids for _, blob in rows])
    assert ids.tolist() == list(range(1, 1_409))
    # The newest few are rather measured than loaded one by one.
    assert held().tolist() == list(range(1, len(held()) + 1))
    assert 1_408 - 32 <= len(held()) <= 1_408


@COMMITTED
def test_blocks_hold_the_codes_of_their_rows(monkeypatch):
    monkeypatch.setattr(blocks, "_BLOCK_BYTES", 200 * 32)
    matrix = cloud(1_500)
    collection = collect(matrix[:1_200])
    add(collection, matrix[1_200:], 1_200)
    now = state(collection)
    tables = Tables.of(collection)
    parts = list(blocks.read_blocks(tables, "default", now.version, 0))
    assert [len(part) for part in parts] == [200] * 7 + [100]
    codes, truth = Codes.joined(parts), encode(range(1, 1_501), matrix, now.middle, "cosine")
    assert np.array_equal(codes.ids, truth.ids)
    assert np.array_equal(codes.words, truth.words)
    assert np.allclose(codes.scales, truth.scales)
    assert np.allclose(now.middle, unit(matrix[:1_200]).mean(axis=0), atol=1e-6)
    later = list(blocks.read_blocks(tables, "default", now.version, 1_333))
    assert Codes.joined(later).ids.tolist() == list(range(1_334, 1_501))


@COMMITTED
def test_a_small_collection_has_no_codes():
    collection = collect(cloud(blocks.MIN_ROWS - 1))
    assert near(collection, cloud(1)[0]).plan["strategy"] == "exact"
    assert state(collection).version == 0
    add(collection, cloud(200, seed=2), 5_000)
    for _ in range(2):
        found = near(collection, cloud(1)[0])
    assert found.plan["strategy"] == "quantised"


@COMMITTED
def test_a_collection_from_before_there_were_codes_gets_them_as_it_is_written_to(monkeypatch):
    matrix = cloud(3_000)
    monkeypatch.setattr(blocks, "MIN_ROWS", 10**9)
    collection = collect(matrix)
    monkeypatch.undo()
    monkeypatch.setattr(blocks, "_BACKLOG_BYTES", 1_000 * 4 * DIMENSIONS)
    lasts = []
    for at in range(5):
        add(collection, cloud(128, seed=at), 5_000 + 128 * at)
        lasts.append(state(collection).last_id)
        probe = matrix[2_999]
        assert keys(near(collection, probe))[0] == "k2999"
    assert lasts == [1_000, 2_000, 3_000, 3_512, 3_640]
    near(collection, matrix[0])
    assert held().tolist() == list(range(1, 3_641))


@COMMITTED
def test_what_was_handed_out_does_not_change_when_more_is_loaded():
    collection = collect(cloud(1_100))
    near(collection, cloud(1)[0])
    before = cache()._flats[0].snapshot
    words = before.codes.words.copy()
    for start in range(5_000, 6_500, 300):
        add(collection, cloud(300, seed=start), start)
        near(collection, cloud(1)[0])
    assert len(held()) > 2_000
    assert np.array_equal(before.codes.words, words)
    assert len(before.codes) == 1_100


@COMMITTED
def test_a_deleted_row_is_gone_at_once():
    matrix = cloud(1_100)
    collection = collect(matrix)
    assert keys(near(collection, matrix[7]))[0] == "k7"
    store.delete(collection, ["k7"])
    assert "k7" not in keys(near(collection, matrix[7]))


@COMMITTED
def test_a_changed_row_is_found_where_it_is_now():
    matrix = cloud(1_100)
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
    assert len(result.hits) == 10
    # What is left lies far off in all directions, where one bit says little.
    assert keys(result)[0] == keys(near(collection, probe, strategy="exact"))[0]
    assert len(held()) == 1_100  # the codes of what is gone went too
    assert near(collection, probe).plan["strategy"] == "quantised"


@COMMITTED
def test_codes_of_what_is_gone_go_where_all_searches_have_a_filter():
    matrix = cloud(1_100)
    collection = collect(matrix)
    probe, condition = matrix[0], {"n": {"gte": 0}}
    near(collection, probe, filter=condition)
    add(collection, -matrix, 0)  # every row anew, far from the probe
    plans = [near(collection, probe, filter=condition).plan["strategy"] for _ in range(3)]
    assert plans[-1] == "quantised"
    assert len(held()) == 1_100


@COMMITTED
@pytest.mark.parametrize("behind", [0, 500, 1_200])
def test_rows_that_a_copy_lacked_for_a_while_are_found_when_it_has_caught_up(behind):
    matrix = cloud(2_400)
    collection = collect(matrix[:behind])
    save(collection, "behind")
    add(collection, matrix[behind:], behind)
    save(collection, "ahead")
    near(collection, matrix[0])
    for _ in range(2):
        bring_back(collection, "behind")
        for _ in range(2):
            assert len(near(collection, matrix[2_300], k=200).hits) == min(behind, 200)
        bring_back(collection, "ahead")
        for _ in range(2):
            assert keys(near(collection, matrix[2_300]))[0] == "k2300"
    assert len(held()) == 2_400


@COMMITTED
def test_codes_that_a_copy_cannot_judge_are_not_forgotten():
    matrix = cloud(2_400)
    collection = collect(matrix[:1_200])
    save(collection, "behind")
    add(collection, matrix[1_200:], 1_200)
    near(collection, matrix[0])
    bring_back(collection, "behind")
    cache().compact(connection)
    assert len(held()) == 2_400


@COMMITTED
@pytest.mark.parametrize("left", [0, 3])
def test_it_returns_all_rows_where_few_are_left(left):
    matrix = cloud(1_100)
    collection = collect(matrix)
    near(collection, matrix[0])
    store.delete(collection, [f"k{at}" for at in range(left, 1_100)])
    assert len(near(collection, matrix[0]).hits) == left


@COMMITTED
def test_an_id_seen_in_a_rolled_back_transaction_is_not_remembered():
    matrix = cloud(1_100)
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
    assert held().tolist() == list(range(1, 1_401))
    codes = cache()._flats[0].snapshot.codes
    truth = encode(range(1_101, 1_401), kept, state(collection).middle, "cosine")
    assert np.array_equal(codes.words[:, 1_100:], truth.words)


@pytest.mark.django_db
def test_inside_a_transaction_it_answers_exactly_and_remembers_nothing():
    matrix = cloud(1_100)
    collection = collect(matrix)
    assert connection.in_atomic_block
    assert near(collection, matrix[0]).plan["strategy"] == "exact"
    assert not cache()._flats


@COMMITTED
def test_a_row_deleted_in_an_open_transaction_comes_back_with_the_rollback():
    matrix = cloud(1_100)
    collection = collect(matrix)
    near(collection, matrix[0])
    with transaction.atomic():
        store.delete(collection, [f"k{at}" for at in range(990)])
        assert len(near(collection, matrix[0]).hits) == 10
        transaction.set_rollback(True)
    assert keys(near(collection, matrix[0]))[0] == "k0"
    assert len(held()) == 1_100


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
    assert result.plan["reranked"] <= 2_000
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
    texts = [f"note {n} about {'cats' if n % 7 == 0 else 'dogs'} number {n * n}" for n in range(1_200)]
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
def test_auto_is_exact_for_a_small_collection_and_goes_by_codes_in_a_large_one(monkeypatch):
    monkeypatch.setattr(strategies, "AUTO_DIMENSIONS", DIMENSIONS)
    small = collect(cloud(100), strategy="auto")
    for _ in range(3):
        assert near(small, cloud(1)[0]).plan["strategy"] == "exact"
    small.delete()
    large = collect(cloud(6_000), strategy="auto")
    assert near(large, cloud(1)[0]).plan["strategy"] == "quantised"
    assert near(large, cloud(1)[0], k=1_000).plan["strategy"] == "exact"  # nearly all rows would be measured


@COMMITTED
def test_under_l2_there_is_no_similarity():
    matrix = cloud(2_100)
    collection = collect(matrix, metric="l2")
    result = near(collection, matrix[5] + 0.001)
    assert result.plan["strategy"] == "quantised"
    assert (result.hits[0].key, result.hits[0].similarity) == ("k5", None)


@COMMITTED
def test_old_caches_make_room(monkeypatch):
    monkeypatch.setattr(caching, "_MAX_COLLECTIONS", 2)
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
    with readers(collection, matrix[:1_000], file_database, count=3):
        for start in range(1_000, 2_000, 100):
            add(collection, matrix[start : start + 100], start)
    assert keys(near(collection, matrix[1_999]))[0] == "k1999"
    strategies.forget()


@COMMITTED
@pytest.mark.parametrize("rows", [40, 400])
def test_ids_that_a_restored_backup_gives_out_again_stand_for_their_new_rows(rows):
    matrix = cloud(1_100 + rows)
    collection = collect(matrix[:1_100])
    save(collection, "backup")
    add(collection, matrix[1_100:], 1_100)
    near(collection, matrix[0])
    bring_back(collection, "backup")
    near(collection, matrix[0])
    new = -cloud(rows, seed=7)
    add(collection, new, 5_000)
    assert store.get(collection, "k5000").id == 1_101
    assert [keys(near(collection, row))[0] for row in new] == [f"k{5_000 + at}" for at in range(rows)]


def copied(collection) -> list[tuple[str, str]]:
    """Tables of an index and its rows, and the condition on what belongs to it."""
    own = [
        (f"vec_{collection.pk}_{kind}", "1") for kind in ("items", "vectors", "blocks", "lists", "centroids")
    ]
    return [
        *own,
        ("vector_indexes", f"collection_id = {collection.pk}"),
        ("sqlite_sequence", f"name = 'vec_{collection.pk}_items'"),
    ]


def save(collection, name: str) -> None:
    """What a backup or a lagging copy of the database would hold."""
    with connection.cursor() as cursor:
        for table, condition in copied(collection):
            cursor.execute(f"CREATE TABLE {name}_{table} AS SELECT * FROM {table} WHERE {condition}")


def bring_back(collection, name: str) -> None:
    with connection.cursor() as cursor:
        for table, condition in copied(collection):
            cursor.execute(f"DELETE FROM {table} WHERE {condition}")
            cursor.execute(f"INSERT INTO {table} SELECT * FROM {name}_{table}")
        items = f"vec_{collection.pk}_items"
        cursor.execute(f"DELETE FROM vec_{collection.pk}_fts WHERE rowid NOT IN (SELECT id FROM {items})")


@pytest.fixture(autouse=True)
def _clean_up(request):
    yield
    if request.node.get_closest_marker("django_db") and request.node.get_closest_marker("django_db").kwargs:
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names():
                if table.startswith(("behind_", "ahead_", "backup_")):
                    cursor.execute(f"DROP TABLE {table}")


@COMMITTED
def test_deletions_are_counted_whoever_deletes():
    matrix = cloud(1_200)
    collection = collect(matrix)
    assert state(collection).deleted == 0
    store.delete(collection, ["k1", "k2", "absent"])
    add(collection, -matrix[3:5], 3)  # other content, so other rows
    assert state(collection).deleted == 4
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM vec_{collection.pk}_items WHERE id > 1190")
    assert state(collection).deleted == 16


@COMMITTED
def test_candidates_are_only_counted_where_some_may_be_gone(django_assert_num_queries):
    matrix = cloud(3_000)
    collection = collect(matrix)
    near(collection, matrix[5])
    with django_assert_num_queries(1) as plain:
        near(collection, matrix[5])
    assert "pool" not in plain[0]["sql"]
    store.delete(collection, ["k5", "k6"])
    with django_assert_num_queries(2) as noticed:  # the answer says that two are gone
        assert "k5" not in keys(near(collection, matrix[5]))
    assert "pool" in noticed[1]["sql"]
    with django_assert_num_queries(1) as counted:
        near(collection, matrix[6])
    assert "pool" in counted[0]["sql"]
    store.delete(collection, [f"k{at}" for at in range(100, 110)])
    near(collection, matrix[6])
    near(collection, matrix[6])  # their codes are dropped
    assert len(held()) == 2_988
    with django_assert_num_queries(1) as plain:
        near(collection, matrix[6])
    assert "pool" not in plain[0]["sql"]

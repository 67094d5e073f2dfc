"""An index is built beside the old one; who reads meets the one or the other, never a mixture."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.vectors.clouds import DIMENSIONS, add, cloud, collect, in_thread, keys, near, readers, state
from vectors import store, strategies
from vectors.codec import unit
from vectors.errors import CollectionNotFound, IndexBusy
from vectors.index import blocks, lists, training
from vectors.index.codes import Codes, encode
from vectors.index.training import lists_for, rebuild
from vectors.models import Index
from vectors.rows import execute
from vectors.sql import Tables

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh():
    strategies.forget()


def rows_of(collection, table: str) -> list:
    return execute("default", (f"SELECT * FROM vec_{collection.pk}_{table} ORDER BY 1, 2", []))


def tables_of(pk: int) -> list[str]:
    return [name for name in connection.introspection.table_names() if name.startswith(f"vec_{pk}_")]


def versions(collection) -> set[int]:
    return {row[0] for table in ("blocks", "lists", "centroids") for row in rows_of(collection, table)}


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_lists_find_what_an_exact_search_finds(metric):
    matrix = cloud(4_040)
    collection = collect(matrix[:4_000], "ivf", metric=metric)
    made = rebuild(collection, lists=40)
    assert (made.lists, made.lists_rows, made.rows, made.last_id) == (40, 4_000, 4_000, 4_000)
    probes = matrix[4_000:]
    found = [set(keys(near(collection, probe))) for probe in probes]
    truth = [set(keys(near(collection, probe, strategy="exact"))) for probe in probes]
    assert np.mean([len(a & b) / 10 for a, b in zip(found, truth, strict=True)]) >= 0.97
    plan = near(collection, probes[0]).plan
    assert (plan["strategy"], plan["probes"], plan["exhaustive"]) == (
        "ivf",
        made.settings["ivf"]["probes"],
        False,
    )
    assert plan["scanned"] < 4_000


def test_each_row_is_in_two_lists_with_its_code(monkeypatch):
    monkeypatch.setattr(training, "_PART_BYTES", 40 * 32)  # lists in several parts
    matrix = cloud(2_000)
    collection = collect(matrix, "ivf")
    made = rebuild(collection, lists=20)
    parts = rows_of(collection, "lists")
    assert {part[1] for part in parts} == set(range(20))
    assert max(part[2] for part in parts) > 0
    codes = Codes.joined([Codes.from_blob(part[3], DIMENSIONS) for part in parts])
    ids, counts = np.unique(codes.ids, return_counts=True)
    assert ids.tolist() == list(range(1, 2_001))
    assert set(counts.tolist()) == {2}
    truth = encode(range(1, 2_001), matrix, made.middle, "cosine")
    assert np.array_equal(codes.words, truth.words[:, codes.ids - 1])
    assert np.allclose(made.middle, unit(matrix).mean(axis=0), atol=0.02)
    flat = Codes.joined(list(blocks.read_blocks(Tables.of(collection), "default", made.version, 0)))
    assert np.array_equal(flat.words, truth.words)


def test_what_came_after_the_lists_is_found_beside_them():
    matrix = cloud(3_000)
    collection = collect(matrix[:2_000], "ivf")
    rebuild(collection, lists=20)
    near(collection, matrix[0])
    for start in (2_000, 2_100, 2_900):  # in the tail, in blocks
        add(collection, matrix[start : start + 100], start)
        assert keys(near(collection, matrix[start + 50]))[0] == f"k{start + 50}"
    add(collection, -matrix[7:8], 7)
    assert keys(near(collection, -matrix[7]))[0] == "k7"
    store.delete(collection, ["k8"])
    assert "k8" not in keys(near(collection, matrix[8]))
    assert near(collection, matrix[8]).plan["strategy"] == "ivf"


@pytest.mark.parametrize("strategy", ["quantised", "ivf"])
def test_a_reader_of_the_old_index_goes_on_and_then_meets_the_new(strategy):
    matrix = cloud(2_000)
    collection = collect(matrix, strategy)
    first = rebuild(collection, lists=20)
    near(collection, matrix[0])
    second = rebuild(collection, lists=30)
    assert first.version != second.version
    assert versions(collection) == {second.version}  # the old one's rows are gone
    for at in (500, 501, 502):  # lists that the process has not met
        assert keys(near(collection, matrix[at]))[0] == f"k{at}"
    (cache,) = strategies.registry._caches.values()
    assert cache._state.version == second.version


def test_lists_are_met_again_when_memory_for_them_is_short(monkeypatch):
    monkeypatch.setattr(lists, "MAX_BYTES", 10_000)
    matrix = cloud(2_000)
    collection = collect(matrix, "ivf")
    rebuild(collection, lists=40)
    for at in range(0, 2_000, 50):
        assert keys(near(collection, matrix[at]))[0] == f"k{at}"
    (cache,) = strategies.registry._caches.values()
    held = cache._lists
    assert held._bytes == sum(codes.nbytes for codes in held._held.values()) <= 10_000


def test_rows_written_during_a_build_are_in_the_new_index(monkeypatch):
    matrix = cloud(2_600)
    collection = collect(matrix[:2_000], "ivf")
    write_lists = training._Build._write_lists

    def write_meanwhile(self, *arguments):
        add(collection, matrix[2_000:2_500], 2_000)
        store.delete(collection, ["k5"])
        write_lists(self, *arguments)

    monkeypatch.setattr(training._Build, "_write_lists", write_meanwhile)
    made = rebuild(collection, lists=20)
    assert (made.lists_last_id, made.last_id, made.rows) == (2_000, 2_500, 2_500)
    add(collection, matrix[2_500:], 2_500)
    for at in (3, 2_300, 2_550):
        assert keys(near(collection, matrix[at]))[0] == f"k{at}"
    assert "k5" not in keys(near(collection, matrix[5]))


@pytest.mark.parametrize(
    "step", ["_sample", "_codes", "_write_lists", "_write_centroids", "_catch_up", "_extended"]
)
def test_a_build_that_fails_leaves_the_old_index(monkeypatch, step):
    matrix = cloud(2_000)
    collection = collect(matrix, "ivf")
    old = rebuild(collection, lists=20)
    before = {table: rows_of(collection, table) for table in ("blocks", "lists", "centroids")}

    def fail(*_, **__):
        raise DatabaseError("database or disk is full")

    monkeypatch.setattr(training._Build, step, fail)
    with pytest.raises(DatabaseError, match="disk is full"):
        rebuild(collection, lists=30)
    monkeypatch.undo()
    assert state(collection).version == old.version
    assert {table: rows_of(collection, table) for table in before} == before
    assert keys(near(collection, matrix[9]))[0] == "k9"
    assert rebuild(collection, lists=30).lists == 30


def test_two_builds_at_once_wait_their_turn():
    collection = collect(cloud(1_200), "ivf")
    Index.objects.filter(pk=collection.pk).update(building=7, building_at=timezone.now())
    with pytest.raises(IndexBusy, match="one whose index nobody builds"):
        rebuild(collection)
    assert Index.objects.get(pk=collection.pk).building == 7
    Index.objects.filter(pk=collection.pk).update(building_at=timezone.now() - timedelta(minutes=3))
    assert rebuild(collection, lists=10).lists == 10
    assert Index.objects.get(pk=collection.pk).building == 0


def test_a_build_that_was_taken_for_dead_gives_up(monkeypatch):
    collection = collect(cloud(2_000), "ivf")
    old = rebuild(collection, lists=10)
    write = training._Build._write_centroids

    def overtaken(self, centroids):
        Index.objects.filter(pk=collection.pk).update(building=99)
        write(self, centroids)

    monkeypatch.setattr(training._Build, "_write_centroids", overtaken)
    with pytest.raises(IndexBusy):
        rebuild(collection, lists=20)
    assert state(collection).version == old.version
    assert Index.objects.get(pk=collection.pk).building == 99


@pytest.mark.parametrize("change", ["delete", "renew"])
def test_a_collection_that_changes_under_a_build_is_left_alone(monkeypatch, change):
    collection = collect(cloud(2_000), "ivf")
    pk = collection.pk
    write = training._Build._write_centroids

    def changed(self, centroids):
        write(self, centroids)
        if change == "delete":
            store.delete_collection("cloud")
        else:
            store.renew_generation(store.get_collection("cloud"))

    monkeypatch.setattr(training._Build, "_write_centroids", changed)
    with pytest.raises(CollectionNotFound if change == "delete" else IndexBusy):
        rebuild(collection, lists=20)
    if change == "delete":
        assert not tables_of(pk)
    else:
        assert state(collection).lists == 0


@pytest.mark.parametrize("rows", [0, 1, 3, 40])
@pytest.mark.parametrize("strategy", ["auto", "quantised", "ivf"])
def test_few_rows_can_be_built_too(rows, strategy):
    matrix = cloud(40)
    collection = collect(matrix[:rows], strategy)
    made = rebuild(collection, strategy=strategy)
    assert made.rows == rows
    assert bool(made.lists) == (strategy == "ivf" and rows > 0)
    assert len(near(collection, matrix[0]).hits) == min(rows, 10)
    add(collection, matrix, 0)
    assert len(near(collection, matrix[0], k=40).hits) == 40


@pytest.mark.parametrize("strategy", ["quantised", "ivf"])
def test_equal_rows_can_be_built_too(strategy):
    collection = collect(np.ones((3_000, DIMENSIONS), "f4"), strategy)
    made = rebuild(collection, strategy=strategy)
    assert made.lists == (1 if strategy == "ivf" else 0)
    assert len(near(collection, np.ones(DIMENSIONS, "f4")).hits) == 10


def test_how_many_lists_suit():
    assert [lists_for(rows) for rows in (0, 1_000, 16_384, 30_000, 1_000_000)] == [0, 31, 512, 692, 4_000]


def test_an_index_without_lists_drops_them():
    matrix = cloud(2_000)
    collection = collect(matrix, "auto")
    assert rebuild(collection, strategy="ivf").lists == 62
    assert rebuild(collection).lists == 62  # what was asked for stays
    rebuild(collection, strategy="quantised")
    assert (state(collection).lists, rows_of(collection, "lists")) == (0, [])
    assert rebuild(collection).lists == 0  # too few rows for lists to pay
    assert keys(near(collection, matrix[4], strategy="ivf"))[0] == "k4"


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_diskann_finds_what_an_exact_search_finds(metric):
    matrix = cloud(1_240)
    collection = collect(matrix[:1_200], "diskann", metric=metric)
    assert near(collection, matrix[0]).plan["strategy"] == "quantised"  # its index is not there yet
    assert rebuild(collection, strategy="diskann").is_diskann
    near(collection, matrix[0])
    probes = matrix[1_200:]
    found = [set(keys(near(collection, probe))) for probe in probes]
    truth = [set(keys(near(collection, probe, strategy="exact"))) for probe in probes]
    assert np.mean([len(a & b) / 10 for a, b in zip(found, truth, strict=True)]) >= 0.9
    assert near(collection, probes[0]).plan["strategy"] == "diskann"
    add(collection, -matrix[7:8], 7)
    assert keys(near(collection, -matrix[7]))[0] == "k7"
    store.delete(collection, ["k8"])
    assert "k8" not in keys(near(collection, matrix[8]))
    for condition in ({"n": {"gte": 5}}, {"mod": 3}, {"n": 17}, {"n": -1}):
        truth = near(collection, matrix[3], filter=condition, strategy="exact")
        assert len(near(collection, matrix[3], filter=condition).hits) == len(truth.hits)
    assert len(near(collection, matrix[3], k=1_000).hits) == 1_000
    store.delete(collection, [f"k{at}" for at in range(1_200)])
    assert near(collection, matrix[3]).hits == []
    rebuild(collection, strategy="quantised")
    assert near(collection, matrix[3]).plan["strategy"] == "exact"
    pk = collection.pk
    rebuild(collection, strategy="diskann")
    collection.delete()
    assert not tables_of(pk)


def test_readers_and_a_writer_go_on_while_an_index_is_built(file_database):
    matrix = cloud(3_000)
    collection = collect(matrix[:2_000], "ivf", using=file_database)
    rebuild(collection, lists=10, using=file_database)

    def write() -> None:
        for at in range(2_000, 3_000, 10):
            add(collection, matrix[at : at + 10], at, file_database)
            assert keys(near(collection, matrix[at], using=file_database))[0] == f"k{at}"

    with readers(collection, matrix[:2_000], file_database), ThreadPoolExecutor(1) as pool:
        writing = pool.submit(in_thread, write, file_database)
        for count in (20, 40, 0, 30):
            rebuild(collection, lists=count, using=file_database)
        writing.result()
    assert state(collection, file_database).lists == 30


def test_as_many_lists_are_probed_as_hold_the_true_neighbours():
    # Lists on a line, a query at each end, and three neighbours of each, each in two lists.
    centroids = np.arange(10, dtype="f4")[:, np.newaxis]
    queries = np.array([[0.1], [9.1]], "f4")
    counts = np.ones((2, 3), bool)
    both = np.array([[[0, 9], [1, 9], [3, 9]], [[9, 0], [8, 0], [6, 0]]], np.int32)
    assert training.probes_for(queries, centroids, both, counts) == 4
    both[0, 2] = [7, 9]  # the eighth from the query
    assert training.probes_for(queries, centroids, both, counts) == 8
    counts[0, 2] = False
    assert training.probes_for(queries, centroids, both, counts) == 4
    assert training.probes_for(queries, centroids[:2], both[:, :1] // 9, counts[:, :1]) == 2


def test_settings_that_were_tuned_outlive_a_build():
    collection = collect(cloud(2_000), "ivf")
    rebuild(collection, lists=20)
    Index.objects.update(settings={"quantised": {"confidence": 2.5}, "ivf": {"probes": 17}})
    assert rebuild(collection, lists=10).lists == 10
    assert Index.objects.get().settings["quantised"] == {"confidence": 2.5}
    assert Index.objects.get().settings["ivf"]["probes"] < 11
    rebuild(collection, strategy="quantised")
    assert Index.objects.get().settings == {"quantised": {"confidence": 2.5}}


def test_the_command_builds_and_says_what(capsys):
    collect(cloud(2_000), "auto")
    call_command("rebuild_vectors", "cloud", "--strategy", "ivf", "--lists", "20", "--json")
    figures = json.loads(capsys.readouterr().out)
    assert (figures["rows"], figures["lists"], figures["diskann"]) == (2_000, 20, False)
    call_command("rebuild_vectors", "cloud")
    assert "2,000 codes, 62 lists, of which" in capsys.readouterr().out
    call_command("rebuild_vectors", "cloud", "--strategy", "diskann")
    assert "DiskANN, in" in capsys.readouterr().out
    with pytest.raises(CommandError, match="--lists: expected a number from 0, got -1"):
        call_command("rebuild_vectors", "cloud", "--lists", "-1")


def test_deletions_cost_searches_by_lists_no_reading_of_all_ids(django_assert_num_queries):
    matrix = cloud(4_000)
    collection = collect(matrix, "ivf")
    rebuild(collection, lists=20)
    store.delete(collection, [f"k{at}" for at in range(0, 4_000, 4)])
    for at in (1, 2, 3) * 2:  # loads the lists around them
        near(collection, matrix[at])
    for at in (1, 2, 3):
        with django_assert_num_queries(1) as asked:
            assert keys(near(collection, matrix[at]))[0] == f"k{at}"
        assert "pool" in asked[0]["sql"]
        store.delete(collection, [f"k{at + 4}"])


def test_lists_without_centroids_are_looked_for_once(caplog):
    matrix = cloud(2_000)
    collection = collect(matrix, "ivf")
    rebuild(collection, lists=20)
    execute("default", (f"DELETE FROM vec_{collection.pk}_centroids RETURNING 1", []))
    strategies.forget()
    assert near(collection, matrix[7]).plan["strategy"] == "quantised"
    assert "centroids are missing. Run verify_vectors." in caplog.text
    with CaptureQueriesContext(connection) as queries:
        assert keys(near(collection, matrix[7], k=1)) == ["k7"]
    assert len(queries) == 1
    rebuild(collection, lists=20)
    near(collection, matrix[7])
    assert near(collection, matrix[7]).plan["strategy"] == "ivf"


def test_a_plain_rebuild_keeps_lists_that_are_there(capsys):
    collection = collect(cloud(1_500), "auto")
    call_command("rebuild_vectors", "cloud", strategy="ivf", lists=20)
    assert state(collection).lists == 20
    call_command("rebuild_vectors", "cloud")
    assert state(collection).lists > 0
    capsys.readouterr()
    lists = state(collection).lists
    call_command("rebuild_vectors", "cloud", lists=0)
    assert state(collection).lists == 0
    assert f"; the {lists} lists are gone" in capsys.readouterr().out


def test_a_table_of_the_index_that_is_gone_is_made_anew():
    matrix = cloud(1_500)
    collection = collect(matrix)
    execute("default", (f"DROP TABLE vec_{collection.pk}_blocks", []))
    with pytest.raises(CommandError, match="rebuild_vectors makes it anew"):
        call_command("verify_vectors", "cloud")
    call_command("rebuild_vectors", "cloud")
    strategies.forget()
    assert near(collection, matrix[7]).plan["strategy"] == "quantised"
    call_command("verify_vectors", "cloud")

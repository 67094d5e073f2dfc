"""Builds while rows come and go, clocks are set, and others build as well."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from tests.vectors.clouds import add, cloud, collect, in_thread, keys, near, readers, state
from vectors import store, strategies
from vectors.errors import IndexBusy
from vectors.index import kmeans, sql, training
from vectors.index.training import rebuild
from vectors.models import Index
from vectors.rows import execute
from vectors.sql import Tables, id_list
from vectors.upkeep.verifying import repair, verify

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    strategies.forget()


@pytest.mark.parametrize("strategy", ["ivf", "diskann"])
@pytest.mark.parametrize("sign", [timedelta(seconds=-30), timedelta(seconds=30)])
def test_a_build_of_this_minute_is_waited_for(strategy: str, sign: timedelta) -> None:
    collection = collect(cloud(100))
    Index.objects.create(pk=collection.pk, building=7, building_at=timezone.now() + sign)
    with pytest.raises(IndexBusy, match="one that died is out of the way after two minutes"):
        rebuild(collection, strategy=strategy)
    assert Index.objects.get().building == 7
    assert not state(collection).is_diskann


@pytest.mark.parametrize("strategy", ["ivf", "diskann"])
@pytest.mark.parametrize("sign", [timedelta(hours=-1), timedelta(days=400)])
def test_a_build_of_another_time_is_dead_whatever_the_clock_was(strategy: str, sign: timedelta) -> None:
    collection = collect(cloud(100))
    Index.objects.create(pk=collection.pk, building=7, building_at=timezone.now() + sign)
    made = rebuild(collection, strategy=strategy)
    assert (made.lists > 0, made.is_diskann) == (strategy == "ivf", strategy == "diskann")


def test_a_build_that_has_to_wait_keeps_the_built_in_index() -> None:
    collection = collect(cloud(1_100), "diskann")
    rebuild(collection, strategy="diskann")
    Index.objects.update(building=7, building_at=timezone.now())
    with pytest.raises(IndexBusy):
        rebuild(collection, strategy="ivf")
    assert state(collection).is_diskann
    assert near(collection, cloud(1)[0]).plan["strategy"] == "diskann"
    Index.objects.update(building=0, building_at=None)
    assert not rebuild(collection, strategy="ivf").is_diskann
    built_in = f"SELECT name FROM sqlite_master WHERE name LIKE 'vec_{collection.pk}_diskann%%'"
    assert execute("default", (built_in, [])) == []


def test_a_repair_keeps_the_built_in_index() -> None:
    collection = collect(cloud(1_100), "diskann")
    rebuild(collection, strategy="ivf", lists=10)
    rebuild(collection, strategy="diskann")
    execute("default", (f"DELETE FROM vec_{collection.pk}_lists WHERE list = 3", []))
    assert repair(collection, verify(collection)).findings == []
    now = state(collection)
    assert (now.is_diskann, now.lists) == (True, 10)


def test_the_first_codes_that_a_writer_makes_meanwhile_do_not_stop_a_build() -> None:
    matrix = cloud(2_000)
    collection = collect(matrix[:0], "quantised")
    rebuild(collection)  # a row for the index, which counts deletions from now on
    add(collection, matrix[:900], 0)
    store.delete(collection, [f"k{at}" for at in range(50)])
    assert (state(collection).version, state(collection).deleted) == (0, 50)
    steps = iter([True])

    def progress(done: int, total: int) -> None:
        if next(steps, False):
            add(collection, matrix[900:], 900)
            assert state(collection).version

    made = rebuild(collection, progress=progress)
    assert (made.rows, state(collection).deleted) == (1_950, 0)
    assert keys(near(collection, matrix[1_800]))[0] == "k1800"
    assert verify(collection).findings == []


@pytest.mark.parametrize("kept", [0, 1, 40])
def test_rows_that_go_between_two_steps_are_no_crash(kept: int) -> None:
    matrix = cloud(1_500)
    collection = collect(matrix, "ivf")
    steps = iter([True])

    def delete_once(execute: Callable[..., Any], statement: str, *arguments: Any) -> Any:
        # After the sample was taken, before all rows are read.
        if "embedding FROM" in statement and "WHERE id >" in statement and next(steps, False):
            store.delete(collection, [f"k{at}" for at in range(kept, 1_500)])
        return execute(statement, *arguments)

    with connection.execute_wrapper(delete_once):
        made = rebuild(collection, lists=20)
    assert (next(steps, None), made.rows, made.last_id) == (None, kept, kept)
    assert len(near(collection, matrix[0]).hits) == min(kept, 10)
    for strategy in ("quantised", "ivf") if kept > 10 else ():
        assert near(collection, matrix[0], strategy=strategy).plan["strategy"] == strategy
    assert verify(collection).findings == []
    add(collection, matrix, 0)
    assert keys(near(collection, matrix[9]))[0] == "k9"


def test_the_sample_is_spread_over_ids_with_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    collection = collect(cloud(60))
    store.delete(collection, [f"k{at}" for at in range(60) if at % 3])
    tables = Tables.of(collection)
    picked = execute("default", sql.ids_at(tables, id_list([1, 2, 20, 21])))
    assert [row[0] for row in picked] == [1, 4, 58]
    monkeypatch.setattr(training, "_PLACES_AT_ONCE", 7)
    build = training._Build(collection, "default", lambda *_: None)
    assert build._ids_at(np.arange(1, 21)).tolist() == list(range(1, 61, 3))


def test_many_who_build_at_once_leave_one_index(file_database: str) -> None:
    matrix = cloud(1_500)
    collection = collect(matrix, "ivf", using=file_database)
    rebuild(collection, lists=10, using=file_database)
    done: list[int] = []
    busy: list[IndexBusy] = []

    def build(lists: int) -> None:
        for more in range(3):
            try:
                done.append(rebuild(collection, lists=lists + more, using=file_database).version)
            except IndexBusy as error:
                busy.append(error)

    with readers(collection, matrix, file_database), ThreadPoolExecutor(3) as pool:
        building = [pool.submit(in_thread, build, file_database, lists) for lists in (20, 30, 40)]
        for one in building:
            one.result()
    assert len(done) + len(busy) == 9
    assert busy
    assert state(collection, file_database).version in done
    assert verify(collection, using=file_database).findings == []


def test_an_empty_centroid_takes_over_the_row_that_is_farthest_whatever_its_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(17)
    lengths = random.choice([1, 100], size=(32, 1))
    sample = (random.standard_normal((32, 3)) * lengths).astype("f4")
    rounds = []
    for number in (1, 2):  # in the second, a centroid has lost all its rows
        monkeypatch.setattr(kmeans, "_ROUNDS", number)
        rounds.append(kmeans.centroids_of(sample, 6))
    farthest = np.linalg.norm(sample[:, np.newaxis] - rounds[0], axis=2).min(axis=1).argmax()
    assert (rounds[1] == sample[farthest]).all(axis=1).any()

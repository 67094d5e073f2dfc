"""A collection is deleted, or made anew with other dimensions, under whoever works with it."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from pytest_django import DjangoDbBlocker

from afn_project.env import BASE_DIR
from tests.processes import clean_environment
from tests.prompts.databases import opened
from tests.vectors.clouds import DIMENSIONS, add, cloud, collect, in_thread, near, state
from vectors import store, strategies
from vectors.errors import CollectionNotFound, IndexBusy, InvalidVector, StaleBatch
from vectors.index.training import rebuild
from vectors.models import Collection, Index
from vectors.search import search
from vectors.store import Item
from vectors.upkeep.stats import read_stats
from vectors.upkeep.tuning import apply, tune
from vectors.upkeep.verifying import verify

pytestmark = pytest.mark.django_db(transaction=True)

STRATEGIES = ("exact", "quantised", "ivf", "diskann", "auto")
ROWS = 1_100  # enough for codes
# The two collections that take turns under one name: their dimensions, and how their keys begin.
ONES, OTHERS = (DIMENSIONS, "one"), (DIMENSIONS // 2, "other")
TURNS = 2


@pytest.fixture(autouse=True)
def _fresh() -> None:
    strategies.forget()


@pytest.fixture
def database(migrated_file: Path, tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The alias of a file with the tables of all apps: some refer to collections."""
    shutil.copyfile(migrated_file, tmp_path / "turns.db")
    with django_db_blocker.unblock(), opened("turns", tmp_path / "turns.db") as alias:
        yield alias


def rows_of(kind: tuple[int, str]) -> np.ndarray:
    return cloud(ROWS)[:, : kind[0]]


def make(kind: tuple[int, str], using: str) -> Collection:
    """A collection `turns` of that kind, which nobody sees before it has its rows."""
    dimensions, prefix = kind
    with transaction.atomic(using=using):
        if old := Collection.objects.using(using).filter(name="turns").first():
            old.delete(using=using)
        made = store.create_collection("turns", embedder="", dimensions=dimensions, using=using)
        items = [Item(f"{prefix}{at}", f"row {at}", vector=row) for at, row in enumerate(rows_of(kind))]
        store.upsert(made, items, using=using)
    return made


def take_turns(using: str) -> None:
    """Make both collections in turn, with an index each, and delete the last."""
    for turn in range(TURNS):
        made = make((OTHERS, ONES)[turn % 2], using)
        if turn % 2:
            rebuild(made, strategy="ivf", lists=20, using=using)
    store.delete_collection("turns", using=using)


def take_turns_elsewhere(file: str) -> None:
    """The same in a process of its own."""
    here = f"import django; django.setup(); from {__name__} import *; run_turns({file!r})"
    environment = clean_environment(DJANGO_SETTINGS_MODULE="tests.settings", SECRET_KEY="k" * 50)
    subprocess.run([sys.executable, "-c", here], cwd=BASE_DIR, env=environment, check=True, timeout=60)


def run_turns(file: str) -> None:
    with opened("turns", file) as alias:
        take_turns(alias)


def look(strategy: str, using: str, is_done: Callable[[], bool], by_name: bool) -> dict[str, int]:
    """Search for rows of both collections until all is done; counts answers and errors by name."""
    counts: dict[str, int] = {}
    random = np.random.default_rng(STRATEGIES.index(strategy))
    kept = store.get_collection("turns", using=using)
    while not is_done():
        kind = (ONES, OTHERS)[int(random.integers(2))]
        at = int(random.integers(ROWS))
        vector = rows_of_kind[kind[1]][at]
        try:
            hits = search(
                "turns" if by_name else kept, vector=vector, mode="semantic", strategy=strategy, using=using
            ).hits
        except (CollectionNotFound, InvalidVector, StaleBatch) as error:
            counts[type(error).__name__] = counts.get(type(error).__name__, 0) + 1
            continue
        # Those of the collection that is asked for, and of no other; a row is its own nearest.
        assert hits[0].key == f"{kind[1]}{at}"
        assert [hit.key.startswith(kind[1]) for hit in hits] == [True] * 10
        counts["found"] = counts.get("found", 0) + 1
    return counts


rows_of_kind = {kind[1]: rows_of(kind) for kind in (ONES, OTHERS)}


@pytest.mark.parametrize("where", ["thread", "process"])
def test_searches_find_rows_of_one_collection_or_say_that_it_is_gone(database: str, where: str) -> None:
    rebuild(make(ONES, database), strategy="ivf", lists=20, using=database)
    rebuild(store.get_collection("turns", using=database), strategy="diskann", using=database)
    done = threading.Event()
    found: list[dict[str, int]] = []

    def read(strategy: str, by_name: bool) -> None:
        found.append(look(strategy, database, done.is_set, by_name))

    with ThreadPoolExecutor(len(STRATEGIES) + 1) as pool:
        wanted = [(strategy, True) for strategy in STRATEGIES] + [("quantised", False)]
        reading = [pool.submit(in_thread, read, database, *one) for one in wanted]
        try:
            if where == "process":
                take_turns_elsewhere(str(connections.databases[database]["NAME"]))
            else:
                take_turns(database)
        finally:
            done.set()
        for one in reading:
            one.result()
    assert len(found) == len(wanted)
    assert all(counts["found"] > 0 for counts in found)
    assert any("InvalidVector" in counts for counts in found)
    for strategy in STRATEGIES:
        with pytest.raises(CollectionNotFound):
            search("turns", vector=rows_of_kind["one"][0], strategy=strategy, using=database)


def drop(name: str) -> None:
    store.delete_collection(name)


def replace(name: str) -> None:
    """Another collection of that name, with other dimensions and an index."""
    store.delete_collection(name)
    made = store.create_collection(name, embedder="", dimensions=8)
    vectors = np.random.default_rng(3).standard_normal((ROWS, 8)).astype("f4")
    store.upsert(made, [Item(f"new{at}", "text", vector=vector) for at, vector in enumerate(vectors)])
    rebuild(made, lists=5)


Work = Callable[[Collection, Callable[[int, int], None]], object]


@pytest.mark.parametrize("change", [drop, replace])
@pytest.mark.parametrize(
    "work",
    [
        lambda one, progress: rebuild(one, strategy="quantised", progress=progress),
        lambda one, progress: rebuild(one, strategy="ivf", lists=10, progress=progress),
        lambda one, progress: tune(one, sample=20, progress=progress),
        lambda one, progress: verify(one, progress=progress),
    ],
    ids=["codes", "lists", "tune", "verify"],
)
def test_work_on_one_that_goes_says_so(work: Work, change: Callable[[str], None]) -> None:
    collection = collect(cloud(ROWS))
    changes = iter([change])

    def progress(done: int, total: int) -> None:
        if change := next(changes, None):
            change("cloud")

    with pytest.raises(CollectionNotFound, match="cloud"):
        work(collection, progress)
    check_only_the_new_one(change)


@pytest.mark.parametrize("change", [drop, replace])
@pytest.mark.parametrize("strategy", ["quantised", "ivf", "diskann"])
def test_work_on_one_that_is_gone_says_so(strategy: str, change: Callable[[str], None]) -> None:
    collection = collect(cloud(ROWS))
    tuning = tune(collection, sample=20)
    change("cloud")
    for work in (
        lambda: rebuild(collection, strategy=strategy),
        lambda: apply(collection, tuning),
        lambda: tune(collection),
        lambda: verify(collection),
        lambda: read_stats(collection),
        lambda: near(collection, cloud(1)[0], strategy=strategy),
    ):
        with pytest.raises(CollectionNotFound, match="cloud"):
            work()
    check_only_the_new_one(change)


def check_only_the_new_one(change: Callable[[str], None]) -> None:
    assert Index.objects.count() == (change is replace)
    if change is replace:
        made = store.get_collection("cloud")
        assert state(made).lists == 5
        assert verify(made).findings == []


def test_commands_say_so_in_a_line() -> None:
    collect(cloud(20))
    drop("cloud")
    for command in ("rebuild_vectors", "tune_vectors", "verify_vectors", "vector_stats"):
        with pytest.raises(CommandError, match="collection: expected the name of a collection, got 'cloud'"):
            call_command(command, "cloud")


def test_settings_are_not_kept_for_an_index_that_was_built_since() -> None:
    collection = collect(cloud(ROWS))
    tuning = tune(collection, sample=20)
    made = rebuild(collection, lists=20)
    with pytest.raises(IndexBusy, match="the index that was measured, got one built since"):
        apply(collection, tuning)
    assert state(collection).settings == made.settings
    apply(collection, tune(collection, sample=20))
    assert state(collection).settings["k"] == 10


def test_rows_that_go_while_settings_are_tried_are_no_crash() -> None:
    collection = collect(cloud(ROWS))

    def progress(done: int, total: int) -> None:
        if done == 0:
            store.delete(collection, [f"k{at}" for at in range(0, ROWS, 2)])

    with pytest.raises(IndexBusy, match="rows that came or went"):
        tune(collection, sample=20, progress=progress)
    add(collection, cloud(ROWS), 0)
    assert tune(collection, sample=20).chosen.recall >= 0.98

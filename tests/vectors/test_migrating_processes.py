"""Migrations on a database file, between processes, and one on a libSQL server."""

import random
import signal
import time
from typing import Any

import pytest
from django.db import connections

from tests.vectors.fakes import FakeEmbedder, OtherEmbedder
from tests.vectors.migrating import EMBEDDERS, begin, report_of
from vectors import known, store
from vectors.migrating import changing
from vectors.migrating.filling import Filling, Pace
from vectors.migrating.models import EmbeddingMigration
from vectors.models import Collection
from vectors.rows import execute
from vectors.search import search
from vectors.store import Item


@pytest.fixture(autouse=True)
def _embedders(settings: Any) -> None:
    settings.AFN_EMBEDDERS = EMBEDDERS
    known._known.clear()


def make_notes(using: str, rows: int) -> Collection:
    collection = store.create_collection("notes", using=using)
    items = [Item(f"k{at}", f"alpha{at} beta{at}", metadata={"n": at}) for at in range(rows)]
    store.upsert(collection, items, using=using)
    return collection


def start(collection: Collection) -> EmbeddingMigration:
    return changing.start(changing.plan(collection, "other", "", 32), {})


def fill(migration: EmbeddingMigration, using: str, pace: Pace | None = None) -> int:
    run = Filling(migration, using, pace)
    for _ in run.rows():
        pass
    return run.done.written


def check_alike(migration: EmbeddingMigration, using: str) -> None:
    """The same items in both spaces, each once, whole, and rightly embedded."""
    states = []
    for space in (migration.live, migration.spare):
        items = list(store.iterate(space, using=using))
        states.append(sorted((one.key, one.text, str(one.metadata), one.content_hash) for one in items))
        maker = {"fake": FakeEmbedder, "other": OtherEmbedder}[space.embedder](dimensions=space.dimensions)
        vectors = store.vectors_by_key(space, [one.key for one in items], using=using)
        assert all((vectors[one.key] == maker.embed([one.text])[0]).all() for one in items)
        for table in ("vectors", "fts"):
            assert execute(using, (f"SELECT count(*) FROM vec_{space.pk}_{table}", [])) == [(len(items),)]
    assert states[0] == states[1]
    assert changing.count_lacking(migration) == 0


def test_a_filling_that_is_killed_goes_on_where_it_was(file_database: str):
    collection = make_notes(file_database, 1_000)
    file = connections.databases[file_database]["NAME"]
    migration = start(collection)
    chance = random.Random()
    counts = [0]
    arguments = ["migrate_embeddings", "notes", "--yes", "--rate", "150", "--batch", "5"]
    for _ in range(3):
        process = begin(file, *arguments)
        while store.count(migration.spare, using=file_database) == counts[-1] and process.poll() is None:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        counts.append(store.count(migration.spare, using=file_database))
    assert 0 < counts[1] < counts[2] < counts[3] < 1_000
    assert changing.state_of(changing.get(collection))["filled_by"] is None
    assert fill(migration, file_database) == 1_000 - counts[3]
    check_alike(migration, file_database)


def test_nothing_is_lost_while_processes_search_and_write(file_database: str):
    collection = make_notes(file_database, 1_500)  # enough for codes
    file = connections.databases[file_database]["NAME"]
    searching = [begin(file, "search") for _ in range(2)]
    writing = begin(file, "write")
    while store.get(collection, "w5", using=file_database) is None:
        assert writing.poll() is None, writing.communicate()
        time.sleep(0.05)
    migration = start(collection)
    fill(migration, file_database, Pace(batch=50))
    for round_ in range(6):
        (changing.roll_back if round_ % 2 else changing.switch)(migration, force=True)
        assert changing.count_lacking(migration) == 0
        time.sleep(0.3)
    expected = report_of(writing)
    for report in map(report_of, searching):
        assert report["searched"] > 20
        assert report["wrong"] == []
    assert len(expected) > 20
    check_alike(migration, file_database)
    for key, text in expected.items():
        item = store.get(migration.live, key, using=file_database)
        assert (item and item.text) == text, key


@pytest.mark.sqld
def test_a_migration_on_a_server(server_database: str):
    collection = make_notes(server_database, 300)
    migration = start(collection)
    fill(migration, server_database)
    store.upsert(collection, [Item("new", "gamma delta")], using=server_database)
    store.delete(collection, ["k3"], using=server_database)
    check_alike(migration, server_database)
    assert search("notes", vector=[1.0] * 64, using=server_database).hits
    changing.switch(migration, force=True)
    assert search("notes", vector=[1.0] * 32, using=server_database).hits
    assert search("notes", "alpha7", k=1, using=server_database).hits[0].key == "k7"
    store.upsert(collection, [Item("newer", "gamma epsilon")], using=server_database)
    changing.roll_back(migration)
    check_alike(migration, server_database)
    changing.drop(migration)
    assert Collection.objects.using(server_database).count() == 1
    assert search("notes", "epsilon", k=1, using=server_database).hits[0].key == "newer"

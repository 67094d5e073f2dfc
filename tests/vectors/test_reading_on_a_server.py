"""A libSQL server sends 10 MB at once and takes 5 MB: whatever reads or writes many rows stays below."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.engine.remote.counting import counted_round_trips
from tests.vectors.migrating import EMBEDDERS
from vectors import store
from vectors.duplicates.finding import find_duplicates
from vectors.fulltext import index_text
from vectors.index.training import rebuild
from vectors.migrating import changing
from vectors.migrating.estimating import estimate
from vectors.migrating.filling import Filling
from vectors.models import Collection
from vectors.reading import count
from vectors.relevance.known_items import sample
from vectors.rows import ANSWER_BYTES, execute
from vectors.search import search
from vectors.store import Item, UpsertResult
from vectors.upkeep.verifying import repair, verify

pytestmark = pytest.mark.sqld
DIMENSIONS = 3_072


@pytest.fixture(scope="module")
def wide(server_database: str) -> Collection:
    """1,200 rows of 12 KB each, the last hundred much like the first, in lists."""
    random = np.random.default_rng(1)
    centres = random.standard_normal((20, DIMENSIONS)).astype("f4")
    matrix = centres[np.arange(1_200) % 20] + random.standard_normal((1_200, DIMENSIONS)).astype("f4")
    matrix[1_100:] = matrix[:100] + 0.1 * random.standard_normal((100, DIMENSIONS)).astype("f4")
    wide = store.create_collection("wide", embedder="", dimensions=DIMENSIONS, using=server_database)
    items = [Item(f"k{at}", f"row {at}", vector=row) for at, row in enumerate(matrix)]
    assert store.upsert(wide, items, using=server_database) == UpsertResult(inserted=1_200)
    rebuild(wide, strategy="ivf", lists=16, using=server_database)
    return wide


def texts(number: int, length: int = 999_000) -> Iterator[Item]:
    """Long ones that differ, with metadata, each by itself within the limits."""
    for at in range(number):
        yield Item(f"k{at}", f"{at} " + "word " * (length // 5), metadata={"long": "x" * 50_000})


def test_many_wide_embeddings_are_read(server_database: str, wide: Collection) -> None:
    vectors = store.vectors_by_key(wide, [f"k{at}" for at in range(1_200)], using=server_database)
    assert len(vectors) == 1_200
    read = list(store.iterate_vectors(wide, using=server_database))
    assert sum(len(ids) for ids, _ in read) == 1_200
    assert max(matrix.nbytes for _, matrix in read) <= ANSWER_BYTES


def test_a_collection_of_wide_embeddings_is_kept_up(server_database: str, wide: Collection) -> None:
    report = verify(wide, using=server_database)
    assert (report.is_sound, report.rows, report.asked) == (True, 1_200, 100)
    found = find_duplicates(wide, 0.9, using=server_database)
    assert (found.way, found.rows) == ("lists", 1_200)
    assert (
        find_duplicates(wide, 0.9, exact=True, using=server_database).duplicates
        == 100
        >= found.duplicates
        > 95
    )


def test_long_texts_are_read_and_mended(server_database: str) -> None:
    long = store.create_collection("long", using=server_database)
    store.upsert(long, texts(11), using=server_database)
    store.upsert(long, [Item("short", "a fox")], using=server_database)
    assert {len(item.text) for item in sample(long, 20, server_database)} == {20_000, len("a fox")}
    keys = [item.key for item in store.iterate(long, using=server_database)]
    assert keys == [*(f"k{at}" for at in range(11)), "short"]
    execute(server_database, (f"DELETE FROM vec_{long.pk}_fts WHERE rowid > 0", []))
    report = verify(long, using=server_database)
    assert [(one.check, one.count) for one in report.findings] == [("text", 12)]
    assert repair(long, report, using=server_database).is_sound
    assert [hit.key for hit in search(long, "fox", mode="keyword", using=server_database).hits] == ["short"]


def test_large_batches_are_written_and_changed(server_database: str) -> None:
    large = store.create_collection("large", embedder="", dimensions=2, using=server_database)

    def rows(number: int, **options: Any) -> list[Item]:
        return [Item(f"{at}" + "k" * 480, "t", vector=[1, at], **options) for at in range(number)]

    assert store.upsert(large, rows(12_000), using=server_database).inserted == 12_000
    assert store.upsert(large, rows(300, title="題" * 2_000), using=server_database).updated == 300
    for at in (1, 2):  # the second time, what is stored is more than one answer
        metadata = {"long": f"{at}" * 60_000}
        changed = rows(300, title="題" * 2_000, metadata=metadata)
        assert store.upsert(large, changed, using=server_database).updated == 300
    assert store.delete(large, [item.key for item in rows(12_000)], using=server_database) == 12_000
    assert count(large, using=server_database) == 0


def test_the_longest_texts_fit(server_database: str) -> None:
    longest = store.create_collection("longest", using=server_database)
    japanese = Item("ja", "狐" + "東京の本" * 249_999 + "xyz", title="題" * 2_000)
    store.upsert(longest, [japanese], using=server_database)
    assert store.get(longest, "ja", using=server_database).text == japanese.text  # type: ignore[union-attr]
    assert search(longest, "東京", mode="keyword", using=server_database).hits[0].key == "ja"
    assert 4 * 2**20 - 3 <= len(index_text(japanese.text).encode()) <= 4 * 2**20


def test_long_texts_change_their_embedding_model(server_database: str, settings: Any) -> None:
    settings.AFN_EMBEDDERS = EMBEDDERS
    notes = store.create_collection("moving", using=server_database)
    store.upsert(notes, texts(12), using=server_database)
    small = [Item(f"m{at}", f"text {at}", metadata={"long": "y" * 60_000}) for at in range(300)]
    store.upsert(notes, small, using=server_database)
    change = changing.plan(notes, "other", "", 32)
    assert estimate(notes, None, change.embedder, server_database).rows == 312
    migration = changing.start(change, {})
    filling = Filling(migration, server_database)
    assert len(list(filling.rows())) == 312
    assert filling.done.lacking == 0
    changing.switch(migration, force=True)
    changing.drop(migration)


def test_a_write_takes_few_round_trips(server_database: str) -> None:
    notes = store.create_collection("trips", using=server_database)
    with counted_round_trips() as writing:
        store.upsert(notes, [Item("a", "a fox")], using=server_database)
    with counted_round_trips() as deleting:
        store.delete(notes, ["a"], using=server_database)
    # The collection and what is stored, for both steps; three tables are written, or deleted from; COMMIT.
    assert (len(writing), len(deleting)) == (8, 5)

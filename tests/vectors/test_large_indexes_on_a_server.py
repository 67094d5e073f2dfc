"""Indexes of which a part alone is more than a libSQL server sends at once."""

import numpy as np
import pytest
from django.db import transaction

from vectors import store
from vectors.index import sql
from vectors.index.codes import Codes, bytes_a_row, words_of
from vectors.index.lists import Lists
from vectors.index.training import rebuild
from vectors.rows import execute
from vectors.search import search
from vectors.sql import Tables
from vectors.upkeep.lists import read_lists

pytestmark = pytest.mark.sqld

DIMENSIONS = 2
VERSION = 5
PART_BYTES = 128 * 1024
ROWS = PART_BYTES // bytes_a_row(DIMENSIONS)
PARTS = 85


def codes(first: int) -> Codes:
    words = np.zeros((words_of(DIMENSIONS), ROWS), np.uint64)
    numbers = np.zeros(ROWS, np.float32)
    return Codes(np.arange(first, first + ROWS), words, numbers, numbers)


def test_a_list_of_rows_that_are_all_alike_is_read(server_database: str) -> None:
    collection = store.create_collection("alike", embedder="", dimensions=DIMENSIONS, using=server_database)
    tables = Tables.of(collection)
    with transaction.atomic(using=server_database):
        for part in range(PARTS):
            blob = codes(part * ROWS).to_blob()
            execute(server_database, sql.insert_list(tables, VERSION, 0, part, blob))
        execute(server_database, sql.insert_list(tables, VERSION, 1, 0, codes(0)[:3].to_blob()))
    assert PARTS * ROWS * bytes_a_row(DIMENSIONS) > 10 * 2**20
    centroids = np.zeros((2, DIMENSIONS), np.float32)
    lists = Lists(tables, VERSION, 1, PARTS * ROWS, centroids, centroids[:, 0])
    found = lists.codes(server_database, [0, 1])
    assert found is not None
    assert np.array_equal(found.ids, [*range(PARTS * ROWS), 0, 1, 2])
    assert lists.codes(server_database, [0, 7]) is None
    all_parts = [parts for some in read_lists(tables, server_database, VERSION, 2) for parts in some.values()]
    assert [sum(map(len, parts)) for parts in all_parts] == [PARTS * ROWS, 3]
    collection.delete(using=server_database)


def test_more_rows_than_an_answer_has_ids_are_built(server_database: str) -> None:
    collection = store.create_collection("rows", embedder="", dimensions=DIMENSIONS, using=server_database)
    tables, rows = Tables.of(collection), 500_000
    numbers = f"WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {rows})"
    items = f"INSERT INTO {tables.items} (key, content_hash, created_at, updated_at, text)"
    execute(server_database, (f"{items} {numbers} SELECT x, '', '', '', '' FROM n", []))
    vectors = "vector32('[' || (1 + x % 97) || ',' || (1 + x % 89) || ']')"
    execute(server_database, (f"INSERT INTO {tables.vectors} {numbers} SELECT x, {vectors} FROM n", []))
    made = rebuild(collection, lists=4, using=server_database)
    assert (made.rows, made.last_id, made.lists) == (rows, rows, 4)

    # Many deletions make a process look which rows are left.
    options = {"vector": [5, 3], "mode": "semantic", "strategy": "quantised", "using": server_database}
    assert search(collection, **options).plan["scanned"] == rows
    store.delete(collection, [str(number) for number in range(1, rows, 400)], using=server_database)
    assert len(search(collection, **options).hits) == 10
    assert search(collection, **options).plan["scanned"] == rows - rows // 400
    collection.delete(using=server_database)

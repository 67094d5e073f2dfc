"""Read items and embeddings back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vectors import browsing_sql
from vectors.codec import Matrix, from_blobs
from vectors.filters import where_for
from vectors.index.sql import vectors_of
from vectors.items import StoredItem
from vectors.models import Collection
from vectors.rows import (
    ANSWER_BYTES,
    as_json,
    execute,
    in_batches,
    reading_alias,
    size_of,
    within_an_answer,
)
from vectors.sql import Tables, id_list
from vectors.validation import is_storable

_BATCH: Final = 200
_KEYS: Final = 10_000


def count(
    collection: Collection, filter: Mapping[str, Any] | None = None, *, using: str | None = None
) -> int:
    """How many items the collection has, or how many match the filter."""
    tables, where = Tables.of(collection), where_for(collection, filter)
    statement = tables.count() if where is None else browsing_sql.count(tables, where)
    return int(execute(reading_alias(collection, using), statement)[0][0])


def get(collection: Collection, key: str, *, using: str | None = None) -> StoredItem | None:
    """The item of that key, or None."""
    return get_many(collection, [key], using=using).get(key)


def get_many(
    collection: Collection, keys: Iterable[str], *, using: str | None = None
) -> dict[str, StoredItem]:
    """The items of these keys, by key; absent ones are left out.

    Raises InvalidQuery where they are more than a server sends at once.
    """
    wanted = [key for key in keys if is_storable(key)]
    with within_an_answer("keys", f"{len(wanted):,}", "fewer keys"):
        rows = execute(reading_alias(collection, using), Tables.of(collection).items_by_key(as_json(wanted)))
    return {item.key: item for item in map(as_item, rows)}


def iterate(
    collection: Collection, *, after: int = 0, batch: int = _BATCH, using: str | None = None
) -> Iterator[StoredItem]:
    """All items with an id greater than `after`, by id, read in batches (each with a view of its own).

    Batches are smaller where texts are long, as a server sends 10 MB at once.
    """
    alias, tables = reading_alias(collection, using), Tables.of(collection)
    while rows := execute(alias, tables.items_after(after, batch, ANSWER_BYTES)):
        for row in rows:
            item = as_item(row)
            after = item.id
            yield item


def vectors_by_key(
    collection: Collection, keys: Iterable[str], *, using: str | None = None
) -> dict[str, Matrix]:
    """The embeddings of these keys, each float32 of shape (dimensions,); absent ones are left out.

    Many are read by several statements, as a server sends 10 MB at once.
    """
    alias, tables = reading_alias(collection, using), Tables.of(collection)
    sized = ((key, 4 * collection.dimensions + size_of(key)) for key in keys if is_storable(key))
    rows: list[Any] = []
    for some in in_batches(sized, size=ANSWER_BYTES, count=_KEYS):
        rows += execute(alias, tables.vectors_by_key(as_json(some)))
    matrix = from_blobs((row[1] for row in rows), collection.dimensions)
    return {row[0]: vector for row, vector in zip(rows, matrix, strict=True)}


def iterate_vectors(
    collection: Collection, *, after: int = 0, batch: int = 1_000, using: str | None = None
) -> Iterator[tuple[npt.NDArray[np.int64], Matrix]]:
    """All embeddings by id, in batches: ids int64 (n,) and float32 (n, dimensions).

    Of many dimensions fewer than `batch` come at once.
    """
    alias, tables = reading_alias(collection, using), Tables.of(collection)
    batch = min(batch, vectors_at_once(collection.dimensions))
    while rows := execute(alias, tables.vectors_after(after, batch)):
        after = rows[-1][0]
        yield np.array([row[0] for row in rows]), from_blobs((row[1] for row in rows), collection.dimensions)


def vectors_at_once(dimensions: int) -> int:
    """How many embeddings one answer may have."""
    return max(1, ANSWER_BYTES // (4 * dimensions + 8))


def vectors_by_id(
    tables: Tables, alias: str, ids: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], Matrix]:
    """The embeddings of ascending ids: those that are there, int64 (n,), and float32 (n, dimensions)."""
    step, rows = vectors_at_once(tables.dimensions), list[Any]()
    for start in range(0, len(ids), step):
        rows += execute(alias, vectors_of(tables, id_list(ids[start : start + step])))
    return (
        np.array([row[0] for row in rows], np.int64),
        from_blobs((row[1] for row in rows), tables.dimensions),
    )


def as_item(row: Sequence[Any]) -> StoredItem:
    """From the columns `sql.ITEM_COLUMNS`."""
    number, key, title, text, metadata, content_hash, created_at, updated_at = row
    return StoredItem(number, key, title, text, json.loads(metadata), content_hash, created_at, updated_at)

"""Upsert and delete items.

That ids stand for unchanging content (see `vectors.sql`) is this module's doing: nothing else writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import transaction
from django.utils import timezone

from vectors.codec import Matrix, as_matrix, to_blob
from vectors.embedders import Embedder, for_collection
from vectors.errors import InvalidItem, StaleBatch, VectorError, shown
from vectors.fulltext import index_text
from vectors.index import blocks
from vectors.index.state import State
from vectors.index.training import is_due
from vectors.items import CheckedItem, Item, check_item, text_to_embed
from vectors.models import Collection
from vectors.rows import as_json, execute, in_batches, writing_alias
from vectors.signals import index_due
from vectors.sql import Tables, id_list

# One INSERT takes at most this much: sqld refuses values of 5 MB.
_STATEMENT_ITEMS: Final = 500
_STATEMENT_BYTES: Final = 2 * 2**20
# New ids after which a writer asks whether the index is to be built anew.
_ASKED_EVERY: Final = 4_096


@dataclass(frozen=True, slots=True)
class UpsertResult:
    """How many items were new, had other content or metadata, or were already there as given."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: UpsertResult) -> UpsertResult:
        return UpsertResult(
            self.inserted + other.inserted, self.updated + other.updated, self.unchanged + other.unchanged
        )


@dataclass(frozen=True, slots=True)
class Content:
    """What a new id will stand for: the embedding, float32 (dimensions,), and the text prepared for FTS5."""

    vector: Matrix
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """Validated items, and by key the content of those that are not stored yet."""

    items: list[CheckedItem]
    contents: dict[str, Content]


def upsert(
    collection: Collection,
    items: Iterable[Item],
    *,
    embedder: Embedder | None = None,
    using: str | None = None,
) -> UpsertResult:
    """Insert items, or update those whose key is there: all or none, in one transaction.

    Content (title, text, own vector) that is stored already is neither embedded nor written again. Embeddings
    are made before the transaction; call `prepare` and `write` to have `write` in a transaction of your own.
    Raises InvalidItem or InvalidVector, or EmbedderError.
    """
    batch = list(items)
    try:
        return write(collection, prepare(collection, batch, embedder=embedder, using=using), using=using)
    except StaleBatch:
        # Another writer changed or deleted rows meanwhile: with all content at hand nothing can be missing.
        everything = prepare(collection, batch, embedder=embedder, using=using, everything=True)
        return write(collection, everything, using=using)


def prepare(
    collection: Collection,
    items: Iterable[Item],
    *,
    embedder: Embedder | None = None,
    using: str | None = None,
    everything: bool = False,
) -> Prepared:
    """Validate items and make the content of those that are not stored yet (or, on request, of all).

    Writes nothing. This is where time goes: the embedder may be a service.
    """
    checked = _check_all(items, collection)
    changed = checked
    if not everything:
        stored = _stored(collection, [one.key for one in checked], writing_alias(collection, using))
        changed = [
            one
            for one in checked
            if one.key not in stored or stored[one.key].content_hash != one.content_hash
        ]
    vectors = {one.key: one.vector for one in changed if one.vector is not None}
    if missing := [one for one in changed if one.vector is None]:
        texts = [text_to_embed(one.title, one.text) for one in missing]
        made = (embedder or for_collection(collection)).embed(texts)
        matrix = as_matrix(made, collection.dimensions, collection.metric)
        vectors.update(zip((one.key for one in missing), matrix, strict=True))
    contents = {
        one.key: Content(vectors[one.key], index_text(one.title), index_text(one.text)) for one in changed
    }
    return Prepared(checked, contents)


def write(collection: Collection, prepared: Prepared, *, using: str | None = None) -> UpsertResult:
    """Store a prepared batch in one transaction, or within the caller's.

    Raises StaleBatch, having written nothing, where content that `prepare` found stored is there no more.
    """
    alias = writing_alias(collection, using)
    tables = Tables.of(collection)
    now = timezone.now().isoformat()
    with transaction.atomic(using=alias):
        stored = _stored(collection, [one.key for one in prepared.items], alias)
        created, replaced, annotated = _compare(prepared, stored)
        if replaced:
            _delete(tables, [one.key for one in replaced], alias)
        for chunk in _chunks(created + replaced, collection.dimensions):
            _insert(collection, chunk, prepared.contents, stored, now, alias)
        if annotated:
            rows = [[stored[one.key].id, one.metadata, now] for one in annotated]
            execute(alias, tables.update_metadata(as_json(rows)))
    updated = len(replaced) + len(annotated)
    return UpsertResult(len(created), updated, len(prepared.items) - len(created) - updated)


def delete(collection: Collection, keys: Iterable[str], *, using: str | None = None) -> int:
    """Delete the items of these keys in one transaction; returns how many there were."""
    alias = writing_alias(collection, using)
    with transaction.atomic(using=alias):
        return _delete(Tables.of(collection), list(keys), alias)


@dataclass(frozen=True, slots=True)
class _Stored:
    id: int
    content_hash: str
    metadata: str
    created_at: str


def _check_all(items: Iterable[Item], collection: Collection) -> list[CheckedItem]:
    """Validate a batch; an error's field names the item: `items[3].text`."""
    checked: dict[str, CheckedItem] = {}
    for number, item in enumerate(items):
        try:
            one = check_item(item, collection)
            if one.key in checked:
                raise InvalidItem("key", "a key that occurs once in a batch", shown(one.key))
        except VectorError as error:
            raise type(error)(f"items[{number}].{error.field}", error.expected, error.got) from error
        checked[one.key] = one
    return list(checked.values())


def _compare(
    prepared: Prepared, stored: dict[str, _Stored]
) -> tuple[list[CheckedItem], list[CheckedItem], list[CheckedItem]]:
    """The items that are new, those with other content, and those with other metadata only."""
    created: list[CheckedItem] = []
    replaced: list[CheckedItem] = []
    annotated: list[CheckedItem] = []
    for one in prepared.items:
        old = stored.get(one.key)
        if old is None or old.content_hash != one.content_hash:
            if one.key not in prepared.contents:
                raise StaleBatch("items", "the content met by prepare()", f"a changed row {shown(one.key)}")
            (created if old is None else replaced).append(one)
        elif old.metadata != one.metadata:
            annotated.append(one)
    return created, replaced, annotated


def _stored(collection: Collection, keys: list[str], alias: str) -> dict[str, _Stored]:
    rows = execute(alias, Tables.of(collection).stored(as_json(keys))) if keys else []
    return {row[0]: _Stored(*row[1:]) for row in rows}


def _insert(
    collection: Collection,
    items: Sequence[CheckedItem],
    contents: dict[str, Content],
    stored: dict[str, _Stored],
    now: str,
    alias: str,
) -> None:
    tables = Tables.of(collection)

    def born(key: str) -> str:
        return stored[key].created_at if key in stored else now

    rows: list[list[Any]] = [
        [one.key, one.content_hash, born(one.key), now, one.metadata, one.title, one.text] for one in items
    ]
    # RETURNING promises no order: ids are matched by key.
    ids = {key: row for row, key in execute(alias, tables.insert_items(as_json(rows)))}
    items = sorted(items, key=lambda one: ids[one.key])
    numbers = np.array([ids[one.key] for one in items], dtype=np.int64)
    vectors = np.stack([contents[one.key].vector for one in items])
    execute(alias, tables.insert_vectors(id_list(numbers), to_blob(vectors)))
    texts = [[ids[one.key], contents[one.key].title, contents[one.key].body] for one in items]
    execute(alias, tables.insert_fts(as_json(texts)))
    if blocks.is_due(int(numbers[0]), int(numbers[-1])):
        state = blocks.append(tables, alias, numbers, vectors)
        if numbers[-1] // _ASKED_EVERY > (numbers[0] - 1) // _ASKED_EVERY:
            _tell_if_due(collection, state, alias)


def _tell_if_due(collection: Collection, state: State, alias: str) -> None:
    if is_due(state, collection.strategy):
        transaction.on_commit(
            lambda: index_due.send(Collection, collection_id=collection.pk, using=alias),
            using=alias,
            robust=True,
        )


def _delete(tables: Tables, keys: list[str], alias: str) -> int:
    ids = [row[0] for row in execute(alias, tables.delete_items(as_json(keys)))] if keys else []
    if ids:
        for statement in tables.delete_ids(id_list(ids)):
            execute(alias, statement)
    return len(ids)


def _chunks(items: Sequence[CheckedItem], dimensions: int) -> Iterator[list[CheckedItem]]:
    """Runs of items that fit one INSERT. A character takes 3 bytes at most, save in rare scripts."""
    sized = ((one, 4 * dimensions + 3 * len(one.text)) for one in items)
    return in_batches(sized, size=_STATEMENT_BYTES, count=_STATEMENT_ITEMS)

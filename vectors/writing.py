"""Upsert and delete items.

That ids stand for unchanging content (see `vectors.sql`) is this module's doing: nothing else writes. While
the embedding model of a collection is being changed (see `vectors.migrating`), each write goes to both of its
spaces, in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import transaction
from django.utils import timezone

from vectors.codec import Matrix, as_matrix, to_blob
from vectors.embedders import Embedder, for_collection
from vectors.errors import EmbedderError, InvalidItem, StaleBatch, VectorError, shown
from vectors.fulltext import index_text
from vectors.index import blocks
from vectors.index.state import State
from vectors.index.training import is_due
from vectors.items import CheckedItem, Item, check_item, text_to_embed
from vectors.metadata_changes import adopt_schema
from vectors.migrating.spaces import attempt, spaces_of
from vectors.models import Collection
from vectors.rows import (
    PARAMETER_BYTES,
    as_json,
    execute,
    execute_on_keys,
    in_batches,
    key_lists,
    size_of,
    writing_alias,
)
from vectors.signals import index_due
from vectors.sql import Tables, id_list

# Items that are inserted at once, and whose metadata is changed at once, if they are small.
_STATEMENT_ITEMS: Final = 500
_STATEMENT_CHANGES: Final = 10_000
# Of each: an id or a hash, and times.
_FIXED_BYTES: Final = 150
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
    """Validated items, and by space (a primary key) and key the content of those that are not stored yet."""

    items: list[CheckedItem]
    contents: dict[int, dict[str, Content]]


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
        adopt_schema(collection, using=using)
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
    alias = writing_alias(collection, using)
    checked = changed = _check_all(items, collection)
    spaces = spaces_of(collection, alias)
    if not everything:
        stored = _stored(spaces.live, [one.key for one in checked], alias)
        changed = [
            one
            for one in checked
            if one.key not in stored or stored[one.key].content_hash != one.content_hash
        ]

    def contents_for(space: Collection) -> dict[str, Content]:
        if space.pk == collection.pk:
            return make_contents(space, changed, embedder=embedder, own_vectors=True)
        return make_contents(space, changed)

    contents = {spaces.live.pk: contents_for(spaces.live)}
    if spare := spaces.spare:
        contents[spare.pk] = attempt(spare, alias, lambda: contents_for(spare), {})
    return Prepared(checked, contents)


def make_contents(
    space: Collection,
    items: Sequence[CheckedItem],
    *,
    embedder: Embedder | None = None,
    own_vectors: bool = False,
) -> dict[str, Content]:
    """By key, what these items are in a space: embedded by their texts, or with `own_vectors` as they say."""
    vectors = {one.key: one.vector for one in items if one.vector is not None} if own_vectors else {}
    if missing := [one for one in items if one.key not in vectors]:
        matrix = embed_texts(space, missing, embedder)
        vectors.update(zip((one.key for one in missing), matrix, strict=True))
    return {one.key: Content(vectors[one.key], index_text(one.title), index_text(one.text)) for one in items}


def embed_texts(
    space: Collection, items: Sequence[CheckedItem | Item], embedder: Embedder | None = None
) -> Matrix:
    """The embeddings of the texts of items, float32 (n, dimensions): from the space's own embedder, or this.

    Raises EmbedderError or InvalidVector.
    """
    made = (embedder or for_collection(space)).embed([text_to_embed(one.title, one.text) for one in items])
    matrix = as_matrix(made, space.dimensions, space.metric)
    if len(matrix) != len(items):
        expected = f"{len(items):,} embeddings, one a text"
        raise EmbedderError(f"embedder {space.embedder}", expected, f"{len(matrix):,}")
    return matrix


def write(collection: Collection, prepared: Prepared, *, using: str | None = None) -> UpsertResult:
    """Store a prepared batch in one transaction, or within the caller's.

    Raises StaleBatch, having written nothing, where content that `prepare` found stored is there no more.
    """
    alias = writing_alias(collection, using)
    now = timezone.now().isoformat()
    keys = [one.key for one in prepared.items]
    with transaction.atomic(using=alias):
        spaces = spaces_of(collection, alias)
        spaces.confirm_schema(collection)
        stored = _stored(spaces.live, keys, alias)
        contents = prepared.contents.get(spaces.live.pk, {})
        created, replaced, annotated = _compare(prepared.items, contents, stored)
        times = {
            one.key: (stored[one.key].created_at if one.key in stored else now, now) for one in prepared.items
        }
        changes = _Changes(created + replaced, annotated, times)
        changes.apply(spaces.live, contents, stored, alias)
        if spaces.spare and (changes.contents or changes.metadata):
            changes.follow(spaces.spare, prepared.contents.get(spaces.spare.pk, {}), alias)
    updated = len(replaced) + len(annotated)
    return UpsertResult(len(created), updated, len(prepared.items) - len(created) - updated)


def delete(collection: Collection, keys: Iterable[str], *, using: str | None = None) -> int:
    """Delete the items of these keys in one transaction; returns how many there were."""
    alias, keys = writing_alias(collection, using), list(keys)
    with transaction.atomic(using=alias):
        spaces = spaces_of(collection, alias)
        if spaces.spare:
            _delete(Tables.of(spaces.spare), keys, alias)
        return _delete(Tables.of(spaces.live), keys, alias)


@dataclass(frozen=True, slots=True)
class _Changes:
    """Items to write with their content, those of which only the metadata changed, and by key both times."""

    contents: list[CheckedItem]
    metadata: list[CheckedItem]
    times: Mapping[str, tuple[str, str]]

    def apply(
        self, space: Collection, contents: Mapping[str, Content], stored: Mapping[str, _Stored], alias: str
    ) -> None:
        """Write all of it, in the caller's transaction; `stored` is what the space holds of these keys."""
        tables = Tables.of(space)
        if replaced := [one.key for one in self.contents if one.key in stored]:
            _delete(tables, replaced, alias)
        for chunk in _chunks(self.contents, space.dimensions):
            _insert(space, chunk, contents, self.times, alias)
        if self.metadata:
            sized = ((one, _FIXED_BYTES + size_of(one.metadata)) for one in self.metadata)
            for some in in_batches(sized, size=PARAMETER_BYTES, count=_STATEMENT_CHANGES):
                rows = [[stored[one.key].id, one.metadata, self.times[one.key][1]] for one in some]
                execute(alias, tables.update_metadata(as_json(rows)))

    def follow(self, spare: Collection, contents: Mapping[str, Content], alias: str) -> None:
        """Bring a spare space to the same state. What has no content here is left out, to be filled in."""
        both = self.contents + self.metadata
        stored = _stored(spare, [one.key for one in both], alias)
        is_current = {
            one.key for one in both if one.key in stored and stored[one.key].content_hash == one.content_hash
        }
        outdated = [one for one in self.contents if one.key not in is_current]
        if lacking := [one.key for one in outdated if one.key in stored and one.key not in contents]:
            _delete(Tables.of(spare), lacking, alias)
        changes = _Changes(
            [one for one in outdated if one.key in contents],
            [one for one in both if one.key in is_current and stored[one.key].metadata != one.metadata],
            self.times,
        )
        changes.apply(spare, contents, stored, alias)


def write_spare(
    spare: Collection,
    items: Sequence[CheckedItem],
    contents: Mapping[str, Content],
    times: Mapping[str, tuple[str, str]],
    alias: str,
) -> None:
    """Bring items of a spare space to this state, in the caller's transaction; the live one is left alone.

    `contents` by key is what differs there, `times` are created_at and updated_at.
    """
    _Changes(list(items), [], times).follow(spare, contents, alias)


def delete_spare(spare: Collection, keys: Sequence[str], alias: str) -> int:
    """Delete items of a spare space alone, in the caller's transaction; returns how many there were."""
    return _delete(Tables.of(spare), list(keys), alias)


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
    items: Sequence[CheckedItem], contents: Mapping[str, Content], stored: Mapping[str, _Stored]
) -> tuple[list[CheckedItem], list[CheckedItem], list[CheckedItem]]:
    """The items that are new, those with other content, and those with other metadata only."""
    created: list[CheckedItem] = []
    replaced: list[CheckedItem] = []
    annotated: list[CheckedItem] = []
    for one in items:
        old = stored.get(one.key)
        if old is None or old.content_hash != one.content_hash:
            if one.key not in contents:
                raise StaleBatch("items", "the content met by prepare()", f"a changed row {shown(one.key)}")
            (created if old is None else replaced).append(one)
        elif old.metadata != one.metadata:
            annotated.append(one)
    return created, replaced, annotated


def _stored(collection: Collection, keys: list[str], alias: str) -> dict[str, _Stored]:
    rows = execute_on_keys(alias, Tables.of(collection).stored, keys)
    return {row[0]: _Stored(*row[1:]) for row in rows}


def _insert(
    collection: Collection,
    items: Sequence[CheckedItem],
    contents: Mapping[str, Content],
    times: Mapping[str, tuple[str, str]],
    alias: str,
) -> None:
    tables = Tables.of(collection)
    rows: list[list[Any]] = [
        [one.key, one.content_hash, *times[one.key], one.metadata, one.title, one.text] for one in items
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
    count = 0
    for some in key_lists(keys):
        if ids := [row[0] for row in execute(alias, tables.delete_items(as_json(some)))]:
            for statement in tables.delete_ids(id_list(ids)):
                execute(alias, statement)
        count += len(ids)
    return count


def _chunks(items: Sequence[CheckedItem], dimensions: int) -> Iterator[list[CheckedItem]]:
    """Runs of items whose columns fit one INSERT each."""
    fixed = 4 * dimensions + _FIXED_BYTES
    sized = ((one, fixed + size_of(one.key, one.title, one.text, one.metadata)) for one in items)
    return in_batches(sized, size=PARAMETER_BYTES, count=_STATEMENT_ITEMS)

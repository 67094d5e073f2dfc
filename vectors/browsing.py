"""Page through items and count the values of a field, by a filter where wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vectors import browsing_sql
from vectors.codec import Matrix, from_blobs
from vectors.errors import InvalidQuery, shown
from vectors.filters import json_path, where_for
from vectors.items import StoredItem
from vectors.limits import MAX_FACET, MAX_PAGE
from vectors.models import Collection
from vectors.reading import as_item
from vectors.rows import execute, reading_alias, within_an_answer
from vectors.sql import Tables, id_list

_FACET: Final = 10
# Pages are cut so that their texts have about so many characters, as a page is held in memory.
_PAGE_CHARACTERS: Final = 4_000_000
# Heads that one answer holds: each may have 64 KB of metadata, most have some hundred bytes.
_HEADS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """Items by id. `next` is the `after` of the next page, None at the end.

    `vectors` are their embeddings, float32 (n, dimensions), where they were asked for.
    """

    items: list[StoredItem]
    next: int | None
    vectors: Matrix | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What a list shows of an item: all but its text, of which it has the start."""

    id: int
    key: str
    title: str
    start: str
    is_cut: bool
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class HeadPage:
    """Heads by id. `next` is the `after` of the next page, None at the end."""

    heads: list[Head]
    next: int | None


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value (text, number, True, False or None) and how many items have it."""

    value: str | int | float | bool | None
    count: int


def scroll(
    collection: Collection,
    *,
    after: int = 0,
    limit: int = 100,
    filter: Mapping[str, Any] | None = None,
    with_vectors: bool = False,
    using: str | None = None,
) -> Page:
    """Up to `limit` (1…1,000) items with ids greater than `after`, by id.

    Ids only grow: who follows `next` meets every item that is there all the while exactly once. An item whose
    content changes meanwhile comes again at the end. Raises InvalidQuery, also where the items are more than
    a server sends at once, and InvalidFilter.
    """
    check_limit(limit, MAX_PAGE)
    _check_after(after)
    where = where_for(collection, filter)
    statement = browsing_sql.page(Tables.of(collection), after, limit + 1, where, with_vectors=with_vectors)
    with within_an_answer("limit", str(limit)):
        rows = execute(reading_alias(collection, using), statement)
    items = [as_item(row[:-1]) for row in rows[:limit]]
    vectors = from_blobs((row[-1] for row in rows[:limit]), collection.dimensions) if with_vectors else None
    return Page(items, items[-1].id if len(rows) > limit else None, vectors)


def scroll_heads(
    collection: Collection,
    *,
    after: int = 0,
    limit: int = 100,
    filter: Mapping[str, Any] | None = None,
    characters: int = 300,
    using: str | None = None,
) -> HeadPage:
    """The same as `scroll`, with the start of each text alone: so many characters."""
    check_limit(limit, MAX_PAGE)
    _check_after(after)
    statement = browsing_sql.heads_after(
        Tables.of(collection), after, limit + 1, where_for(collection, filter), characters
    )
    with within_an_answer("limit", str(limit)):
        rows = execute(reading_alias(collection, using), statement)
    heads = [_as_head(row) for row in rows[:limit]]
    return HeadPage(heads, heads[-1].id if len(rows) > limit else None)


def heads_of(
    collection: Collection, ids: Sequence[int], *, characters: int = 300, using: str | None = None
) -> list[Head]:
    """The heads of these ids, by id; those of deleted items are left out."""
    alias, tables, heads = reading_alias(collection, using), Tables.of(collection), list[Head]()
    for start in range(0, len(ids), _HEADS_AT_ONCE):
        some = id_list(ids[start : start + _HEADS_AT_ONCE])
        heads += map(_as_head, execute(alias, browsing_sql.heads(tables, some, characters)))
    return heads


def pages(
    collection: Collection,
    *,
    limit: int,
    filter: Mapping[str, Any] | None = None,
    with_vectors: bool = False,
    using: str | None = None,
) -> Iterator[Page]:
    """All pages of up to `limit` items, of fewer where texts are long or a server could not send so many."""
    after: int | None = 0
    most = limit
    while after is not None:
        try:
            page = scroll(
                collection, after=after, limit=limit, filter=filter, with_vectors=with_vectors, using=using
            )
        except InvalidQuery as error:
            if error.field != "limit" or limit == 1:
                raise
            limit //= 2
            continue
        after = page.next
        size = sum(len(item.text) for item in page.items) + 1
        limit = max(1, min(most, 2 * limit, _PAGE_CHARACTERS * len(page.items) // size))
        yield page


def facet(
    collection: Collection,
    field: str,
    *,
    filter: Mapping[str, Any] | None = None,
    limit: int = _FACET,
    using: str | None = None,
) -> list[FacetValue]:
    """The values of a metadata field (`a.b` leads into objects) with the number of items that have each.

    The most frequent come first, up to `limit` (1…1,000). An item whose field is a list counts once for each
    different element. 1 and 1.0 are one value; "1" and true are others. Objects and lists within lists are
    left out, as filters cannot find them.
    """
    check_limit(limit, MAX_FACET)
    statement = browsing_sql.facet(
        Tables.of(collection), json_path(field, "field"), limit, where_for(collection, filter)
    )
    rows = execute(reading_alias(collection, using), statement)
    return [FacetValue(_value(kind, atom), items) for kind, atom, items in rows]


def vectors_of(collection: Collection, ids: Sequence[int], *, using: str | None = None) -> dict[int, Matrix]:
    """The embeddings of these ids, each float32 (dimensions,); those of deleted items are left out.

    Raises InvalidQuery where they are more than a server sends at once.
    """
    statement = browsing_sql.vectors_by_id(Tables.of(collection), id_list(ids))
    with within_an_answer("include", f"{len(ids):,} embeddings", "fewer items with their embeddings"):
        rows = execute(reading_alias(collection, using), statement) if ids else []
    matrix = from_blobs((row[1] for row in rows), collection.dimensions)
    return {row[0]: vector for row, vector in zip(rows, matrix, strict=True)}


def check_limit(limit: object, maximum: int, field: str = "limit") -> None:
    """Raise InvalidQuery unless `limit` is an integer from 1 to `maximum`."""
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= maximum:
        raise InvalidQuery(field, f"an integer from 1 to {maximum:,}", shown(limit))


def _check_after(after: object) -> None:
    if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after < 2**63:
        raise InvalidQuery("after", "0, or the `next` of a page", shown(after))


def _as_head(row: Sequence[Any]) -> Head:
    number, key, title, metadata, start, length = row
    return Head(number, key, title, start, length > len(start), json.loads(metadata))


def _value(kind: str, atom: Any) -> Any:
    return {"true": True, "false": False, "null": None}.get(kind, atom)

"""REST over the items of a collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import register_converter
from django.urls.converters import PathConverter
from ninja import Path, Router
from ninja.responses import Status

from vectors import schemas, store
from vectors.api_parts import parts, refuse_managed, vectors_for
from vectors.api_values import CollectionName, ItemKey
from vectors.binary import in_the_documentation, read_items, takes_bytes
from vectors.codec import Matrix
from vectors.errors import CollectionNotFound, InvalidQuery, shown
from vectors.permissions import READING, needs

router = Router()


class AnyKey(PathConverter):
    """Django's own `path` ends at a line break, which a key may have."""

    regex = "(?s:.+)"


register_converter(AnyKey, "any")
_BYTES = (
    "The length of the JSON as an unsigned integer of 8 bytes, the JSON without vectors, then the vectors as "
    "float32, 4 bytes a dimension, all little-endian."
)


@router.put(
    "/collections/{name}/items",
    response={200: schemas.UpsertOut},
    openapi_extra=in_the_documentation(_BYTES),
)
@needs("vectors.change_collection")
@takes_bytes(lambda request: read_items(request.body))
def upsert_items(
    request: HttpRequest, name: Path[CollectionName], payload: schemas.ItemsIn
) -> store.UpsertResult:
    """Insert up to 1,000 items, or replace those whose key is there: all or none.

    What is stored already is neither embedded nor written again, so sending a batch twice is cheap. Many
    vectors travel best as bytes, `application/octet-stream`.
    """
    refuse_managed(name)
    items = [store.Item(**dict(item)) for item in payload.items]
    return store.upsert(store.get_collection(name), items)


@router.get("/collections/{name}/items/{any:key}", response={200: schemas.ItemOut})
def get_item(request: HttpRequest, name: Path[CollectionName], key: Path[ItemKey]) -> store.StoredItem:
    """One item by its key, which may contain slashes."""
    item = store.get(store.get_collection(name), key)
    if item is None:
        raise _no_item(name, key)
    return item


@router.delete("/collections/{name}/items/{any:key}", response={204: None})
@needs("vectors.change_collection")
def delete_item(request: HttpRequest, name: Path[CollectionName], key: Path[ItemKey]) -> Status[None]:
    """Delete one item."""
    refuse_managed(name)
    if not store.delete(store.get_collection(name), [key]):
        raise _no_item(name, key)
    return Status(204, None)


@router.post("/collections/{name}/get", response={200: schemas.GetOut}, exclude_unset=True)
@needs(READING)
def get_items(request: HttpRequest, name: Path[CollectionName], payload: schemas.GetIn) -> dict[str, Any]:
    """Items by up to 1,000 keys. Only reads, although it is a POST."""
    collection = store.get_collection(name)
    found = store.get_many(collection, payload.keys)
    items = [found[key] for key in dict.fromkeys(payload.keys) if key in found]
    return {"items": _shown(items, payload.include, vectors_for(collection, items, payload.include))}


@router.post("/collections/{name}/scroll", response={200: schemas.ScrollOut}, exclude_unset=True)
@needs(READING)
def scroll_items(
    request: HttpRequest, name: Path[CollectionName], payload: schemas.ScrollIn
) -> dict[str, Any]:
    """A page of items in the order they were written; follow `next` to read all that match a filter."""
    page = store.scroll(
        store.get_collection(name),
        after=payload.after,
        limit=payload.limit,
        filter=payload.filter,
        with_vectors="vector" in payload.include,
    )
    vectors = (
        {} if page.vectors is None else dict(zip((one.id for one in page.items), page.vectors, strict=True))
    )
    return {"items": _shown(page.items, payload.include, vectors), "next": page.next}


@router.post("/collections/{name}/count", response={200: schemas.CountOut})
@needs(READING)
def count_items(request: HttpRequest, name: Path[CollectionName], payload: schemas.CountIn) -> dict[str, int]:
    """How many items match a filter, or how many there are."""
    return {"count": store.count(store.get_collection(name), payload.filter)}


@router.post("/collections/{name}/facet", response={200: schemas.FacetOut})
@needs(READING)
def count_values(
    request: HttpRequest, name: Path[CollectionName], payload: schemas.FacetIn
) -> dict[str, Any]:
    """The values of a metadata field and how many items have each, the most frequent first."""
    collection = store.get_collection(name)
    return {"values": store.facet(collection, payload.field, filter=payload.filter, limit=payload.limit)}


@router.post("/collections/{name}/delete", response={200: schemas.DeleteOut})
@needs("vectors.change_collection")
def delete_items(
    request: HttpRequest, name: Path[CollectionName], payload: schemas.DeleteIn
) -> dict[str, Any]:
    """Delete items by up to 1,000 keys, or all that match a filter: all or none."""
    refuse_managed(name)
    collection = store.get_collection(name)
    if (payload.keys is None) == (payload.filter is None):
        got = "neither" if payload.keys is None else "both"
        raise InvalidQuery("filter", "either keys or a filter", got)
    if payload.filter is not None:
        deleted = store.delete_matching(collection, payload.filter, dry_run=payload.dry_run)
    elif payload.dry_run:
        deleted = len(store.get_many(collection, payload.keys or []))
    else:
        deleted = store.delete(collection, payload.keys or [])
    return {"deleted": deleted, "dry_run": payload.dry_run}


def _shown(
    items: Iterable[store.StoredItem], include: Sequence[str], vectors: Mapping[int, Matrix]
) -> list[dict[str, Any]]:
    return [
        {
            "key": item.key,
            **parts(item, include, vectors),
            "created_at": item.created_at,
            "updated_at": item.updated_at,
        }
        for item in items
    ]


def _no_item(name: str, key: str) -> CollectionNotFound:
    return CollectionNotFound("key", f"the key of an item in {shown(name)}", shown(key))

"""REST over collections. Auth is the business of whoever adds the router; `needs` says what to ask for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Path, Query, Router
from ninja.errors import HttpError
from ninja.responses import Status

from vectors import schemas, store
from vectors.errors import CollectionNotFound, EmbedderError, InvalidCollection, InvalidQuery, shown
from vectors.managed import refusal
from vectors.models import Collection
from vectors.permissions import READING, needs
from vectors.schemas import ERRORS, ErrorOut, Text
from vectors.search import search

router = Router(tags=["vectors"])


@router.get("/collections", response={200: schemas.CollectionPage, ERRORS: ErrorOut})
def list_collections(request: HttpRequest, paging: Query[schemas.Paging]) -> dict[str, Any]:
    """All collections by name."""
    rows = Collection.objects.all()
    page = rows[paging.offset : paging.offset + paging.limit]
    return {"items": list(page), "total": rows.count(), "limit": paging.limit, "offset": paging.offset}


@router.post("/collections", response={201: schemas.CollectionDetail, ERRORS: ErrorOut})
@needs("vectors.add_collection")
def create_collection(request: HttpRequest, payload: schemas.CollectionIn) -> Status[Any]:
    """Create a collection, with an embedder of the server's or for vectors of your own."""
    _refuse_managed(payload.name)
    try:
        collection = store.create_collection(**payload.model_dump())
    except EmbedderError as error:
        if error.field in payload.model_fields_set:  # the caller's choice, not the server's settings
            raise InvalidCollection(error.field, error.expected, error.got) from error
        raise
    return Status(201, _detail(collection))


@router.get("/collections/{name}", response={200: schemas.CollectionDetail, ERRORS: ErrorOut})
def get_collection(request: HttpRequest, name: Path[Text]) -> dict[str, Any]:
    """One collection and how many items it holds."""
    return _detail(store.get_collection(name))


@router.delete("/collections/{name}", response={204: None, ERRORS: ErrorOut})
@needs("vectors.delete_collection")
def delete_collection(request: HttpRequest, name: Path[Text]) -> Status[None]:
    """Delete a collection with all of its items."""
    _refuse_managed(name)
    store.delete_collection(name)
    return Status(204, None)


@router.put("/collections/{name}/items", response={200: schemas.UpsertOut, ERRORS: ErrorOut})
@needs("vectors.change_collection")
def upsert_items(request: HttpRequest, name: Path[Text], payload: schemas.ItemsIn) -> store.UpsertResult:
    """Insert up to 1,000 items, or replace those whose key is there: all or none.

    What is stored already is neither embedded nor written again, so sending a batch twice is cheap.
    """
    _refuse_managed(name)
    items = [store.Item(**dict(item)) for item in payload.items]
    return store.upsert(store.get_collection(name), items)


@router.get("/collections/{name}/items/{path:key}", response={200: schemas.ItemOut, ERRORS: ErrorOut})
def get_item(request: HttpRequest, name: Path[Text], key: Path[Text]) -> store.StoredItem:
    """One item by its key, which may contain slashes."""
    item = store.get(store.get_collection(name), key)
    if item is None:
        raise _no_item(name, key)
    return item


@router.delete("/collections/{name}/items/{path:key}", response={204: None, ERRORS: ErrorOut})
@needs("vectors.change_collection")
def delete_item(request: HttpRequest, name: Path[Text], key: Path[Text]) -> Status[None]:
    """Delete one item."""
    _refuse_managed(name)
    if not store.delete(store.get_collection(name), [key]):
        raise _no_item(name, key)
    return Status(204, None)


@router.post("/collections/{name}/search", response={200: schemas.SearchOut, ERRORS: ErrorOut})
@needs(READING)
def search_collection(request: HttpRequest, name: Path[Text], payload: schemas.SearchIn) -> Any:
    """The best `k` items for a text, an embedding, or both. Only reads, although it is a POST."""
    try:
        return search(name, **payload.model_dump())
    except EmbedderError as error:
        if store.get_collection(name).embedder:
            raise
        raise InvalidQuery("vector", "an embedding, as the collection has no embedder", "none") from error


def _detail(collection: Collection) -> dict[str, Any]:
    fields = schemas.CollectionOut.model_fields
    return {name: getattr(collection, name) for name in fields} | {"count": store.count(collection)}


def _refuse_managed(name: str) -> None:
    if reason := refusal(name):
        raise HttpError(409, reason)


def _no_item(name: str, key: str) -> CollectionNotFound:
    return CollectionNotFound("key", f"the key of an item in {shown(name)}", shown(key))

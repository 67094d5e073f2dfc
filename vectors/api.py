"""REST over collections. Auth is the business of whoever adds the router; `needs` says what to ask for."""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from ninja.responses import Status

import vectors.api_files
import vectors.api_items
import vectors.api_search
from vectors import schemas, store
from vectors.api_parts import locate, refuse_managed
from vectors.api_values import CollectionName
from vectors.catalogue import visible_collections
from vectors.errors import EmbedderError, InvalidCollection, shown
from vectors.metadata_schema import MetadataSchema
from vectors.models import Collection
from vectors.permissions import needs

logger = logging.getLogger(__name__)
router = Router(tags=["vectors"])
router.add_router("", vectors.api_items.router)
router.add_router("", vectors.api_files.router)
router.add_router("", vectors.api_search.router)


@router.get("/collections", response={200: schemas.CollectionPage})
def list_collections(request: HttpRequest, paging: Query[schemas.Paging]) -> dict[str, Any]:
    """All collections by name."""
    rows = visible_collections()
    page = rows[paging.offset : paging.offset + paging.limit]
    return {"items": list(page), "total": rows.count(), "limit": paging.limit, "offset": paging.offset}


@router.post("/collections", response={201: schemas.CollectionDetail})
@needs("vectors.add_collection")
def create_collection(
    request: HttpRequest, payload: schemas.CollectionIn, response: HttpResponse
) -> Status[Any]:
    """Create a collection, with an embedder of the server's or for vectors of your own."""
    refuse_managed(payload.name)
    try:
        collection = store.create_collection(**payload.model_dump())
    except EmbedderError as error:
        # The caller's choice, not the server's settings: those, as a missing key, are told to its log alone.
        if error.field in payload.model_fields_set:
            raise InvalidCollection(error.field, error.expected, error.got) from error
        if payload.embedder:
            logger.error("The embedder cannot be used: %s", error)
            expected = "an embedder that this server is set up for"
            raise InvalidCollection("embedder", expected, shown(payload.embedder)) from error
        raise
    locate(request, response, collection.name)
    return Status(201, _detail(collection))


@router.get("/collections/{name}", response={200: schemas.CollectionDetail})
def get_collection(request: HttpRequest, name: Path[CollectionName]) -> dict[str, Any]:
    """One collection and how many items it holds."""
    return _detail(store.get_collection(name))


@router.patch("/collections/{name}", response={200: schemas.CollectionDetail})
@needs("vectors.change_collection")
def change_collection(
    request: HttpRequest, name: Path[CollectionName], payload: schemas.CollectionChange
) -> dict[str, Any]:
    """Replace the schema of the metadata, which all stored items have to satisfy."""
    refuse_managed(name)
    collection = store.get_collection(name)
    store.set_metadata_schema(collection, payload.metadata_schema, strict=payload.metadata_strict)
    return _detail(collection)


@router.delete("/collections/{name}", response={204: None})
@needs("vectors.delete_collection")
def delete_collection(request: HttpRequest, name: Path[CollectionName]) -> Status[None]:
    """Delete a collection with all of its items."""
    refuse_managed(name)
    store.delete_collection(name)
    return Status(204, None)


def _detail(collection: Collection) -> dict[str, Any]:
    schema = MetadataSchema.stored(collection.metadata_schema)
    return {
        **{name: getattr(collection, name) for name in schemas.CollectionOut.model_fields},
        "metadata_schema": schema.as_given(),
        "metadata_strict": schema.strict,
        "count": store.count(collection),
    }

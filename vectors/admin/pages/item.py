"""One item: its text and metadata, what its embedding is like, and what is like it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from vectors.admin.pages.base import naming_of, render
from vectors.admin.pages.items import item_url
from vectors.errors import VectorError
from vectors.items import StoredItem
from vectors.models import Collection
from vectors.reading import get, vectors_by_key
from vectors.search import SearchResult
from vectors.similar import search_similar

if TYPE_CHECKING:
    from vectors.admin.collections import CollectionAdmin


def show(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> HttpResponse:
    key = request.GET.get("key", "")
    item = get(collection, key)
    if item is None:
        context = {"wanted": key}
        return render(model_admin, request, collection, "no_item", context, status=404)
    naming = naming_of(collection)
    similar, problem = _similar(collection, key)
    vector = vectors_by_key(collection, [key]).get(key)
    return render(
        model_admin,
        request,
        collection,
        "item",
        {
            "item": item,
            "metadata": [(name, _written(value)) for name, value in item.metadata.items()],
            "created_at": parse_datetime(item.created_at),
            "updated_at": parse_datetime(item.updated_at),
            "norm": None if vector is None else float(np.linalg.norm(vector.astype(np.float64))),
            "own_url": naming.url(key) if naming.url else "",
            "similar": [(hit, item_url(collection, hit.key)) for hit in similar.hits] if similar else [],
            "plan": similar.plan if similar else None,
            "problem": problem,
        },
    )


def _similar(collection: Collection, key: str) -> tuple[SearchResult | None, VectorError | None]:
    try:
        return search_similar(collection, key, mode="semantic", parts=("title",)), None
    except VectorError as error:
        return None, error


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def find(collection: Collection, key: str) -> StoredItem:
    """The item, or 404."""
    item = get(collection, key)
    if item is None:
        raise Http404(_("There is no such item."))
    return item

"""Two items side by side, with the words that only one of them has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from django.http import HttpRequest, HttpResponse

from vectors.admin.pages.base import render
from vectors.admin.pages.item import find
from vectors.admin.pages.items import chips, page_url
from vectors.admin.words import differences
from vectors.items import StoredItem
from vectors.models import Collection, Metric
from vectors.reading import vectors_by_key

if TYPE_CHECKING:
    from vectors.admin.collections import CollectionAdmin


def show(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> HttpResponse:
    one, other = (find(collection, request.GET.get(name, "")) for name in ("one", "other"))
    marked = differences(one.text, other.text)
    sides = [
        {
            "item": item,
            "words": words,
            "metadata": chips(item.metadata),
            "url": page_url(collection, item.key),
        }
        for item, words in zip((one, other), marked or (None, None), strict=True)
    ]
    context = {"sides": sides, "is_marked": marked is not None, "nearness": _nearness(collection, one, other)}
    return render(model_admin, request, collection, "compare", context)


def _nearness(collection: Collection, one: StoredItem, other: StoredItem) -> float | None:
    """Their cosine similarity, or their distance under l2."""
    keys = [one.key, other.key]
    found = vectors_by_key(collection, keys)
    if len(found) < len(set(keys)):
        return None
    a, b = (found[key].astype(np.float64) for key in keys)
    if collection.metric == Metric.L2:
        return float(np.linalg.norm(a - b))
    lengths = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else None

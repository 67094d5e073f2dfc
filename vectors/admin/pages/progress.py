"""How far something is that goes on in the background: a piece of a page, which asks for itself again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from vectors.admin import work
from vectors.admin.pages.base import address
from vectors.models import Collection

if TYPE_CHECKING:
    from vectors.admin.collections import CollectionAdmin

KINDS = (
    "rebuild_index",
    "tune_vectors",
    "evaluate_search",
    "find_duplicates",
    "migrate_embeddings",
    "judge_migration",
    "map_items",
)


def show(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> HttpResponse:
    kind = request.GET.get("kind", "")
    if kind not in KINDS:
        raise Http404(_("There is no such work."))
    found = progress(request, collection, kind)
    response = render(request, "admin/vectors/work.html", found)
    if found["work"] is None or not found["work"].is_open:
        response["HX-Refresh"] = "true"  # the page shows what came of it
    return response


def progress(request: HttpRequest, collection: Collection, kind: str) -> dict[str, Any]:
    """For ``work.html``."""
    return {
        "work": work.last(kind, collection.name, request.user),
        "work_url": f"{address('progress', collection)}?kind={kind}",
    }

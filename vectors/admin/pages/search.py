"""A search in any collection, with its plan. A GET form: a search can be sent to somebody as its address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from vectors.admin.filtering import parse_filter
from vectors.admin.pages.base import render, status_of
from vectors.admin.pages.items import chips, item_url
from vectors.errors import VectorError
from vectors.limits import MAX_K, MAX_QUERY
from vectors.models import Collection, StrategyName
from vectors.search import SearchResult, search
from vectors.snippets import segments, snippet

if TYPE_CHECKING:
    from vectors.admin.collections import CollectionAdmin

MODES: Final = (("hybrid", _("Hybrid")), ("semantic", _("By meaning")), ("keyword", _("By words")))


def show(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> HttpResponse:
    # Without an embedder a query cannot be made a vector.
    modes = MODES if collection.embedder else MODES[2:]
    given = {name: str(value) for name, value in request.GET.items() if value}
    asked = {"mode": modes[0][0], "k": "10"} | given
    query = asked.get("q", "").strip()
    found: SearchResult | None = None
    problem: VectorError | None = None
    if query:
        try:
            found = _search(collection, query, asked)
        except VectorError as error:
            problem = error
    return render(
        model_admin,
        request,
        collection,
        "search",
        {
            "query": query,
            "asked": asked,
            "modes": modes,
            "strategies": [("", _("That of the collection")), *StrategyName.choices],
            "max_k": MAX_K,
            "max_query": MAX_QUERY,
            "found": found,
            "hits": [_hit(collection, query, hit) for hit in found.hits] if found else [],
            "problem": problem,
        },
        status=status_of(problem),
    )


def _search(collection: Collection, query: str, asked: dict[str, str]) -> SearchResult:
    k: Any = asked["k"]
    return search(
        collection,
        query,
        k=int(k) if k.isascii() and k.isdigit() and len(k) < 10 else k,
        mode=asked["mode"],
        strategy=asked.get("strategy"),
        filter=parse_filter(asked.get("filter", "")),
    )


def _hit(collection: Collection, query: str, hit: Any) -> dict[str, Any]:
    shown = snippet(hit.text, query)
    return {
        "hit": hit,
        "snippet": shown,
        "segments": list(segments(shown)),
        "metadata": chips(hit.metadata),
        "url": item_url(collection, hit.key),
    }

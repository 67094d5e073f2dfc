"""The page, and the piece of it that a new search replaces."""

from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _

from vectors.admin.pages.base import status_of
from vectors.errors import EmbedderError, VectorError
from vectors.limits import MAX_QUERY
from vectors.models import Collection
from vectors.search import MODES

from ...indexing import COLLECTION, estimate_outdated
from ...models import Prompt
from ...search import PromptSearch
from . import filters, results
from .asked import Asked, larger

MODE_LABELS: Final = {"hybrid": _("Hybrid"), "semantic": _("By meaning"), "keyword": _("By words")}
EXAMPLES: Final = ("rewrite a resume", "summarise a meeting", "要約", "英語に翻訳する")
_STEPS: Final = (10, 30, 100, 300, 999)


def search_page(request: HttpRequest) -> HttpResponse:
    if "s" in request.GET:  # unfold's palette, Ctrl+K, asks at this address too
        palette: Any = admin.site
        return palette.search(request)
    if not request.user.has_perm("prompts.view_prompt"):
        raise PermissionDenied
    asked = Asked.of(request.GET)
    is_piece = "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    if is_piece and (name := request.GET.get("pick")) in filters.LABELS:
        return filters.pick(request, asked, str(name))
    context, status = _answer(request, asked)
    if is_piece:
        context["site_title"] = settings.UNFOLD["SITE_TITLE"]
        response = TemplateResponse(request, "admin/search/piece.html", context, status=status)
        # The short address, whatever empty fields the form sent along.
        response["HX-Push-Url"] = request.path + asked.address
    else:
        context |= {**admin.site.each_context(request), "title": _("Search")}
        response = TemplateResponse(request, "admin/search.html", context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _answer(request: HttpRequest, asked: Asked) -> tuple[dict[str, Any], int]:
    """What the page shows, and its status."""
    found: PromptSearch | None = None
    error: VectorError | None = None
    if asked:
        try:
            found = asked.search()
        except VectorError as wrong:
            error = wrong
    hits = results.shown(request, asked, found) if found else []
    more = larger(asked.k, _STEPS, len(hits)) if hits else None
    return {
        "asked": asked,
        "modes": [(mode, MODE_LABELS.get(mode, mode), mode == asked.mode) for mode in MODES],
        "max_query": MAX_QUERY,
        "chips": filters.chips(asked),
        "like": filters.like_chip(asked),
        "offered": filters.offered(asked),
        "unfiltered": asked.but(filters=()).address,
        "search": found,
        "hits": hits,
        "none_by_words": asked.mode == "hybrid" and asked.query and not any(_has_words(one) for one in hits),
        "more": (more, asked.but(k=str(more)).address) if more else None,
        "strategy": results.STRATEGIES.get(found.plan["strategy"], "") if found else "",
        "error": error,
        "ways_out": list(_ways_out(asked, error)) if error else [],
        **_nothing(asked, found, error),
    }, status_of(error)


def _has_words(shown: results.Shown) -> bool:
    return shown.hit.ranks.get("keyword") is not None


def _ways_out(asked: Asked, error: VectorError) -> Iterator[tuple[Any, str]]:
    """Searches that may work where this one did not."""
    if isinstance(error, EmbedderError) and asked.query:
        yield _("Search by words"), asked.but(mode="keyword", like="").address
    plain = Asked(query=asked.query)
    if plain != asked:
        yield _("Search without filters"), plain.address


def _nothing(asked: Asked, found: PromptSearch | None, error: VectorError | None) -> dict[str, Any]:
    """What an empty page says next; not asked of the database where there is something else to say."""
    if error or (found and found.results):
        return {}
    prompts = Prompt.objects.count()
    by_meaning = asked.but(mode="semantic") if asked.mode == "keyword" and not asked.like else None
    return {
        "prompts": prompts,
        "collection": Collection.objects.filter(name=COLLECTION).first(),
        "outdated": estimate_outdated() if prompts else 0,
        "examples": [(text, asked.but(query=text).address) for text in EXAMPLES],
        "by_meaning": by_meaning.address if by_meaning else "",
    }

"""The search page: a GET form, so that a search can be sent to somebody as its address."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from vectors.errors import EmbedderError, VectorError
from vectors.limits import MAX_K, MAX_QUERY
from vectors.models import Collection
from vectors.search import MODES
from vectors.snippets import Snippet

from ..indexing import COLLECTION, count_outdated
from ..models import Prompt, Status
from ..search import PromptSearch, search_prompts
from . import choices

MODE_LABELS = {"hybrid": "Hybrid", "semantic": "By meaning", "keyword": "By words"}
FILTERS = ("status", "language", "tag", "folder")


class SearchForm(forms.Form):
    """Only draws the fields; what they may hold is decided by the search itself."""

    mode = forms.CharField(
        widget=UnfoldAdminSelectWidget(choices=[(mode, MODE_LABELS.get(mode, mode)) for mode in MODES])
    )
    status = forms.CharField(widget=UnfoldAdminSelectWidget(choices=[("", "Any"), *Status.choices]))
    language = forms.CharField()
    tag = forms.CharField()
    folder = forms.CharField()
    k = forms.CharField(label="Results (k)")

    def __init__(self, **given: Any) -> None:
        super().__init__(**given, use_required_attribute=False)
        for name, found in (("language", choices.languages()), ("folder", choices.folders())):
            chosen = self.initial.get(name)
            values = found if not chosen or chosen in found else [chosen, *found]
            options = [("", "Any"), *((value, value) for value in values)]
            self.fields[name].widget = UnfoldAdminSelectWidget(choices=options)
        self.fields["tag"].widget = UnfoldAdminTextInputWidget({"list": "tags", "placeholder": "Any"})
        limits = {"type": "number", "min": 1, "max": MAX_K}
        self.fields["k"].widget = UnfoldAdminTextInputWidget(limits)


def search_page(request: HttpRequest) -> HttpResponse:
    if "s" in request.GET:  # unfold's palette, Ctrl+K, asks at this address too
        palette: Any = admin.site
        return palette.search(request)
    if not request.user.has_perm("prompts.view_prompt"):
        raise PermissionDenied
    given = {name: str(value) for name, value in request.GET.items() if value}
    asked = {"mode": "hybrid", "k": "10"} | given
    query = asked.get("q", "").strip()
    found: PromptSearch | None = None
    error: VectorError | None = None
    status = 200
    if query:
        try:
            found = _search(query, asked)
        except VectorError as wrong:
            error, status = wrong, 503 if isinstance(wrong, EmbedderError) else 400
    return TemplateResponse(
        request,
        "admin/search.html",
        {
            **admin.site.each_context(request),
            "title": "Search",
            "form": SearchForm(initial=asked),
            "tags": choices.tags(),
            "query": query,
            "max_query": MAX_QUERY,
            "is_filtered": any(asked.get(name) for name in FILTERS),
            "search": found,
            "hits": [(hit, list(segments(hit.snippet))) for hit in found.results] if found else [],
            "error": error,
            **_state(found),
        },
        status=status,
    )


def segments(snippet: Snippet) -> Iterator[tuple[str, bool]]:
    """The snippet's text in pieces, each with whether the query matched it. Templates escape them."""
    at = 0
    for start, end in snippet.highlights:
        if at < start:
            yield snippet.text[at:start], False
        yield snippet.text[start:end], True
        at = end
    if at < len(snippet.text):
        yield snippet.text[at:], False


def _search(query: str, asked: dict[str, str]) -> PromptSearch:
    k: Any = asked["k"]
    return search_prompts(
        query,
        k=int(k) if k.isascii() and k.isdigit() and len(k) < 10 else k,
        mode=asked["mode"],
        **{name: asked[name] for name in FILTERS if name in asked},
    )


def _state(found: PromptSearch | None) -> dict[str, Any]:
    """What an empty page says next; not asked of the database where there are results."""
    if found and found.results:
        return {}
    prompts = Prompt.objects.count()
    collection = Collection.objects.filter(name=COLLECTION).first()
    return {
        "prompts": prompts,
        "collection": collection,
        "outdated": count_outdated() if prompts else 0,
    }

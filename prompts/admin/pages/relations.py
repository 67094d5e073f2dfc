"""What a prompt includes, what includes it, where it is used, and which prompts are much like it."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import Count
from django.http import HttpRequest, HttpResponse

from vectors.errors import VectorError
from vectors.similar import search_similar

from ...indexing import get_collection
from ...labels import labels_of
from ...models import Dataset, LabelSplit, Prompt
from ...relations import relations_of
from .base import render

NEAREST = 6
NEAR_IDENTICAL = 0.95
MOST = 10


def show(model_admin: ModelAdmin, request: HttpRequest, prompt: Prompt) -> HttpResponse:
    splits = LabelSplit.objects.filter(prompt=prompt.pk, ended_at=None).order_by("label")
    context = {
        "relations": relations_of(prompt),
        "labels": list(labels_of(prompt).items()),
        "splits": splits[:MOST],
        "datasets": _datasets(prompt) if request.user.has_perm("prompts.view_evaluationrun") else [],
    }
    return render(model_admin, request, prompt, "relations", context | _similar(prompt))


def _datasets(prompt: Prompt) -> Any:
    """Those that it was tried on, with the number of runs."""
    tried = Dataset.objects.filter(runs__prompt=prompt.pk).order_by("name")
    return tried.annotate(tried=Count("runs"))[:MOST]


def _similar(prompt: Prompt) -> dict[str, Any]:
    """The nearest by meaning, from the stored embeddings: nothing is embedded for this page."""
    try:
        found = search_similar(
            get_collection(),
            prompt.pk,
            k=NEAREST,
            mode="semantic",
            model=Prompt,
            fields=("name", "title", "version", "status"),
        )
    except VectorError:
        return {"is_indexed": False}
    hits = [(hit, hit.similarity is not None and hit.similarity >= NEAR_IDENTICAL) for hit in found.hits]
    return {"is_indexed": True, "similar": hits}

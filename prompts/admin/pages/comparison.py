"""Two versions of a prompt by their scores, on the items that both were evaluated on."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ...models import Prompt
from ..differences import number_of
from ..pairs import context_of
from .base import render


def show(model_admin: ModelAdmin, request: HttpRequest, prompt: Prompt) -> HttpResponse:
    old, new = (number_of(request.GET.get(side), 0) for side in ("from", "to"))
    kept = prompt.versions.kept().defer("content", "config", "variables")
    pair = {one.version: one for one in kept.filter(version__in={old, new})}
    context: dict[str, Any] = {"title": _("Compare scores"), "old": pair.get(old), "new": pair.get(new)}
    is_there = old in pair and new in pair
    if is_there:
        context |= context_of(request, pair[old], pair[new])
        context |= {"old_title": f"v{old}", "new_title": f"v{new}", "sides": {"from": old, "to": new}}
    return render(
        model_admin,
        request,
        prompt,
        "comparison",
        context,
        status=200 if is_there else 404,
    )

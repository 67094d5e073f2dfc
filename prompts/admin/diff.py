"""The page that shows what changed between two versions of a prompt."""

import json
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ..models import Prompt, PromptVersion
from ..payload_changes import list_changes
from .differences import OFFERED, differences, number_of, offered
from .pages.base import render


def show(model_admin: ModelAdmin, request: HttpRequest, prompt_id: str) -> HttpResponse:
    prompt = Prompt.objects.filter(pk=prompt_id).select_related("user").first()
    if prompt is None:
        raise Http404(_("There is no such prompt."))
    versions = offered(prompt)
    newest = versions[0].version if versions else 0
    new = number_of(request.GET.get("to"), newest)
    below = next((one.version for one in versions if one.version < new), new)
    old = number_of(request.GET.get("from"), below)
    kept = prompt.versions.kept().select_related("author")
    pair = {one.version: one for one in kept.filter(version__in={old, new})}
    missing = [number for number in sorted({old, new}) if number not in pair]
    context = {"versions": versions, "old": pair.get(old), "new": pair.get(new), "missing": missing}
    if not missing:
        context |= _difference(request, prompt.type, pair[old], pair[new])
    return render(
        model_admin,
        request,
        prompt,
        "diff",
        context | {"title": _("Compare versions"), "is_many": len(versions) == OFFERED},
        within="versions",
        status=404 if missing else 200,
    )


def _difference(request: HttpRequest, kind: str, old: PromptVersion, new: PromptVersion) -> dict[str, Any]:
    changes = [
        (change["field"], *(_shown(change[side]) for side in ("from", "to")))
        for change in list_changes(old.payload, new.payload)
    ]
    return differences(request, old.text_of(kind), new.text_of(kind)) | {"changes": changes}


def _shown(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)

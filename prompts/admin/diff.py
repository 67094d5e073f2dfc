"""The page that shows what changed between two versions of a prompt."""

import json
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from .. import diffs
from ..models import Prompt, PromptVersion
from ..payload_changes import list_changes


def show(model_admin: ModelAdmin, request: HttpRequest, prompt_id: str) -> HttpResponse:
    prompt = Prompt.objects.filter(pk=prompt_id).first()
    if prompt is None:
        raise Http404("There is no such prompt.")
    kept = prompt.versions.kept()
    listed = kept.select_related("author").defer("content", "config", "variables")
    versions = list(listed.order_by("-version"))
    newest = versions[0].version if versions else 0
    new = _number(request.GET.get("to"), newest)
    old = _number(request.GET.get("from"), max(new - 1, 1))
    pair = {one.version: one for one in kept.filter(version__in={old, new})}
    return TemplateResponse(
        request,
        "admin/prompts/prompt/diff.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": "Compare versions",
            "opts": model_admin.opts,
            "original": prompt,
            "prompt": prompt,
            "versions": versions,
            "old": pair.get(old),
            "new": pair.get(new),
            "missing": [number for number in sorted({old, new}) if number not in pair],
            **_difference(prompt.type, pair.get(old), pair.get(new), everything="all" in request.GET),
        },
        status=200 if old in pair and new in pair else 404,
    )


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else default


def _difference(
    kind: str, old: PromptVersion | None, new: PromptVersion | None, everything: bool
) -> dict[str, Any]:
    if old is None or new is None:
        return {}
    diff = diffs.compare(old.text_of(kind), new.text_of(kind))
    changed = [row for row in diff.rows if not row.is_equal]
    context = len(diff.rows) if everything else 3
    return {
        "diff": diff,
        "rows": diffs.fold(diff.rows, context),
        "everything": everything,
        "is_same": old.content == new.content,
        "changes": [
            (change["field"], *(json.dumps(change[side], ensure_ascii=False) for side in ("from", "to")))
            for change in list_changes(old.payload, new.payload)
        ],
        "removed": sum(row.old_number is not None for row in changed),
        "added": sum(row.new_number is not None for row in changed),
    }

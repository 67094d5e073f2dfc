"""What stands beside the editor and changes while one types: the preview, and prompts to be included."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse

from ...label_states import label_order
from ...models import LATEST, Kind, Prompt, TemplateFormat
from ...previewing import Draft, preview
from ...rendering import messages

_FOUND = 8  # prompts to choose from


def show_preview(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Of what is in the form; nothing is saved."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    draft = Draft(
        _typed(request.POST, "name").strip(),
        _typed(request.POST, "type") or Kind.TEXT,
        _typed(request.POST, "content"),
        _typed(request.POST, "template_format") or TemplateFormat.SIMPLE,
        _typed(request.POST, "variables"),
    )
    shown = preview(draft, _prefixed(request.POST, "sample."), _prefixed(request.POST, "history."))
    is_chat = draft.type == Kind.CHAT
    raw = messages.dump(shown.rendered.messages) if shown.rendered and is_chat else ""
    context = {
        "preview": shown,
        "is_chat": is_chat,
        "raw": raw,
        "signature": _signature(shown),
        "histories": [*shown.placeholders.items()],
        "is_empty": not draft.content.strip(),
    }
    return TemplateResponse(request, "admin/prompts/prompt/preview.html", context)


def find_includes(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Prompts that the one in the form could include, by a part of their name or title."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    query = request.GET.get("q", "").strip()[:200]
    found = Prompt.objects.filter(template_format=request.GET.get("template_format") or TemplateFormat.SIMPLE)
    if _typed(request.GET, "type") != Kind.CHAT:
        found = found.filter(type=Kind.TEXT)  # a chat stands in a message of a chat alone
    if query:
        found = found.filter(Q(name__icontains=query) | Q(title__icontains=query))
    found = found.exclude(name=request.GET.get("name", "")).order_by("name")
    rows = found.only("name", "title", "type", "version").prefetch_related("labels")[:_FOUND]
    context = {"rows": [(row, _labels(row)) for row in rows], "query": query}
    return TemplateResponse(request, "admin/prompts/prompt/includes.html", context)


def _typed(form: Any, name: str) -> str:
    """What the form holds, else what the page says is stored: of a field that is not to be changed."""
    value: str = form.get(name) or form.get(f"of_{name}", "")
    return value.replace("\r\n", "\n")


def _labels(prompt: Prompt) -> list[str]:
    return sorted([LATEST, *(label.name for label in prompt.labels.all())], key=label_order)


def _prefixed(form: Any, prefix: str) -> dict[str, str]:
    found = {name.removeprefix(prefix): form[name] for name in form if name.startswith(prefix)}
    return {name: value.replace("\r\n", "\n") for name, value in found.items()}


def _signature(shown: Any) -> str:
    """By which the page tells whether the boxes of the samples have to change."""
    rows = [(row.variable.as_json(), row.is_declared, row.is_used) for row in shown.variables]
    return repr([(row.variable.name, *one) for row, one in zip(shown.variables, rows, strict=True)]) + repr(
        list(shown.placeholders)
    )

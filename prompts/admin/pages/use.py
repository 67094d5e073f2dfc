"""How to use a prompt: code to be copied, and what the API answers."""

import json
from typing import Any

from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse

from ...errors import RegistryProblem
from ...label_states import label_order
from ...labels import labels_of
from ...models import Prompt
from ...rendering.errors import TemplateProblem
from ...serving import reading
from ...snippets import Wanted, snippets
from .base import render

_LONGEST = 100_000  # characters of an answer that is shown


def show(model_admin: ModelAdmin, request: HttpRequest, prompt: Prompt) -> HttpResponse:
    label = request.GET.get("label", "")[:100]
    if not label:
        label = min(labels_of(prompt), key=label_order)
    address = request.build_absolute_uri("/").rstrip("/")
    return render(model_admin, request, prompt, "use", {"label": label, **_found(prompt, label, address)})


def _found(prompt: Prompt, label: str, address: str) -> dict[str, Any]:
    """What an application would get, or why it would get nothing."""
    try:
        served = reading.read(prompt.pk, label=label)
        composition = served.compose()
        answer = json.dumps(reading.as_json(served, composition), ensure_ascii=False, indent=2)
        pieces = snippets(Wanted(address, prompt.name, label, composition.template))
    except (RegistryProblem, TemplateProblem) as problem:
        return {"problem": f"Expected {problem.expected}, got {problem.got}."}
    return {
        "served": served,
        "snippets": pieces,
        "answer": answer if len(answer) <= _LONGEST else "",
        "is_public": settings.AFN_PUBLIC_READ,
        "is_jinja": composition.template.format == "jinja2",
    }

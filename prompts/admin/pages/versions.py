"""The time line of a prompt's versions."""

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse

from ...models import Prompt
from .base import render


def show(model_admin: ModelAdmin, request: HttpRequest, prompt: Prompt) -> HttpResponse:
    versions = prompt.versions.kept().select_related("author").prefetch_related("labels").order_by("-version")
    return render(model_admin, request, prompt, "versions", {"versions": versions.defer("content")[:50]})

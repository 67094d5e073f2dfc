"""What the pages of one prompt have in common: who may see them, their head and their tabs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from ...label_states import label_order
from ...labels import labels_of
from ...models import Prompt

Show = Callable[[ModelAdmin, HttpRequest, Prompt], HttpResponse]


@dataclass(frozen=True, slots=True)
class Page:
    """``name`` is the last part of its address, and of its URL name: ``prompts_prompt_<name>``.

    ``within`` is the name of the page whose tab is the current one, of a page that has no tab of its own.
    """

    name: str
    title: Any
    show: Show
    within: str = ""

    @property
    def url_name(self) -> str:
        return f"prompts_prompt_{self.name}"


def view_of(model_admin: ModelAdmin, page: Page) -> Callable[..., HttpResponse]:
    """For a URL: the page of a prompt that is there, for who may view it."""

    def view(request: HttpRequest, object_id: str) -> HttpResponse:
        if not model_admin.has_view_permission(request):
            raise PermissionDenied
        prompt = Prompt.objects.filter(pk=object_id).select_related("user").first()
        if prompt is None:
            raise Http404(_("There is no such prompt."))
        return page.show(model_admin, request, prompt)

    return view


def render(
    model_admin: ModelAdmin,
    request: HttpRequest,
    prompt: Prompt,
    name: str,
    context: dict[str, Any],
    *,
    within: str = "",
    **options: Any,
) -> TemplateResponse:
    """``admin/prompts/prompt/<name>.html``, which extends ``page.html``, with its head and tabs.

    ``within`` is for what is none of ``PAGES``: the page whose tab is the current one.
    """
    shared = model_admin.admin_site.each_context(request) | head(prompt, within or name)
    shared |= {"title": prompt.name, "opts": model_admin.opts, "original": prompt}
    return TemplateResponse(request, f"admin/prompts/prompt/{name}.html", shared | context, **options)


def head(prompt: Prompt, current: str) -> dict[str, Any]:
    """What ``head.html`` shows: also of the form, which is no such page. Two queries."""
    return {
        "prompt": prompt,
        # Pairs: of a mapping, templates would take the label "items" for its method.
        "prompt_labels": sorted(labels_of(prompt).items(), key=lambda one: label_order(one[0])),
        "prompt_versions": prompt.versions.kept().count(),
        "prompt_tabs": _tabs(prompt, current),
    }


def _tabs(prompt: Prompt, current: str) -> list[dict[str, Any]]:
    from . import PAGES  # which knows the pages, that know this module

    current = next((page.within or page.name for page in PAGES if page.name == current), current)
    form = {
        "title": _("Edit"),
        "url": reverse("admin:prompts_prompt_change", args=[prompt.pk]),
        "is_current": current == "change",
    }
    others = (
        {
            "title": page.title,
            "url": reverse(f"admin:{page.url_name}", args=[prompt.pk]),
            "is_current": page.name == current,
        }
        for page in PAGES
        if not page.within
    )
    return [form, *others]

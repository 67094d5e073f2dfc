"""A tour of the console: what people do here, in the order in which they do it, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from prompts.models import Prompt, User

from .first_steps import is_put_away

LABELS: Final = "prompts_prompt_labels"  # of the prompt that was changed last


@dataclass(frozen=True, slots=True)
class Stop:
    """`picture` is a template of ``admin/tour``; `button` leads to the page, for who has the permission."""

    picture: str
    title: Any
    text: Any
    button: Any
    url_name: str
    permission: str


WRITING: Final = (
    Stop(
        "find",
        _("Find"),
        _("Say what a prompt should do. It is found by meaning, in English and Japanese, and by its words."),
        _("Search"),
        "search",
        "prompts.view_prompt",
    ),
    Stop(
        "change",
        _("Change"),
        _("Edit it and see at once what applications would get. Saving makes a new version; none is lost."),
        _("Prompts"),
        "prompts_prompt_changelist",
        "prompts.view_prompt",
    ),
    Stop(
        "compare",
        _("Compare"),
        _("Put two versions side by side, word by word, and see who wrote which line, when and why."),
        _("Versions"),
        "prompts_promptversion_changelist",
        "prompts.view_promptversion",
    ),
    Stop(
        "evaluate",
        _("Evaluate"),
        _("Try a version on a dataset. Scores come with intervals, so you see what is luck."),
        _("Evaluations"),
        "prompts_evaluationrun_changelist",
        "prompts.view_evaluationrun",
    ),
    Stop(
        "promote",
        _("Promote"),
        _("Move the label production to the better version. A policy can ask for evidence before it moves."),
        _("Labels"),
        LABELS,
        "prompts.change_promptlabel",
    ),
    Stop(
        "undo",
        _("Undo"),
        _("Not good after all? One click takes a move back. Each move is kept: who, when and why."),
        _("Labels"),
        LABELS,
        "prompts.change_promptlabel",
    ),
)
OPERATING: Final = (
    Stop(
        "health",
        _("Health"),
        _("See how each part is and was, before somebody calls. Alerts tell you when a limit is passed."),
        _("Health"),
        "ops_healthrecord_changelist",
        "ops.view_healthrecord",
    ),
    Stop(
        "backups",
        _("Backups"),
        _("Backups are made every night and restored for a try, so you know that they work."),
        _("Backups"),
        "ops_backupdrill_changelist",
        "ops.view_backupdrill",
    ),
    Stop(
        "environments",
        _("Environments"),
        _("Copy the whole database, try what you like there, and merge the prompts back."),
        _("Environments"),
        "ops_environment_changelist",
        "ops.view_environment",
    ),
)


def tour(request: HttpRequest) -> HttpResponse:
    """For everybody on the staff; each stop for who may open its page."""
    user = cast(User, request.user)
    labels = _labels()
    parts = [
        ("writing", gettext("With prompts"), _open_to(user, WRITING, labels)),
        ("operating", gettext("Behind them"), _open_to(user, OPERATING, labels)),
    ]
    context = admin.site.each_context(request) | {
        "title": gettext("Tour"),
        "parts": [part for part in parts if part[2]],
        "is_put_away": is_put_away(request),
    }
    return TemplateResponse(request, "admin/tour/page.html", context)


def _open_to(user: User, stops: tuple[Stop, ...], labels: str) -> list[dict[str, Any]]:
    return [
        {
            "stop": stop,
            "url": labels if stop.url_name == LABELS else reverse(f"admin:{stop.url_name}"),
            "picture": f"admin/tour/{stop.picture}.html",
        }
        for stop in stops
        if user.has_perm(stop.permission)
    ]


def _labels() -> str:
    newest = Prompt.objects.values_list("pk", flat=True).first()
    return reverse(f"admin:{LABELS}", args=[newest]) if newest else reverse("admin:prompts_prompt_changelist")

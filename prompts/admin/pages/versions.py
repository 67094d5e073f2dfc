"""The time line of a prompt's versions; an old one is restored from there."""

from typing import cast

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from ... import timeline
from ...errors import RegistryProblem
from ...models import Prompt, User
from ...saving import restore_content
from ..differences import number_of
from ..display import said_saved
from .base import render
from .labels import may_move


def show(model_admin: ModelAdmin, request: HttpRequest, prompt: Prompt) -> HttpResponse:
    if request.method == "POST":
        return _restore(model_admin, request, prompt)
    before = number_of(request.GET.get("before"), 0) or None
    entries, older = timeline.read(prompt, before=before)
    return render(
        model_admin,
        request,
        prompt,
        "versions",
        {
            "entries": entries,
            "older": older,
            "before": before,
            "may_move": may_move(request, prompt),
            "may_restore": model_admin.has_change_permission(request, prompt),
        },
    )


def _restore(model_admin: ModelAdmin, request: HttpRequest, prompt: Prompt) -> HttpResponse:
    if not model_admin.has_change_permission(request, prompt):
        raise PermissionDenied
    number = number_of(request.POST.get("version"), 0)
    author = cast(User, request.user)  # only known users may change prompts
    try:
        saved = restore_content(prompt, number, author=author, message=f"Restored v{number}")
    except RegistryProblem as problem:
        messages.error(request, problem.sentence)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        values = {"old": number, "new": saved.version}
        if saved.is_new:
            told = _("v%(new)s was added, with the content of v%(old)s.") % values
            messages.success(request, said_saved(prompt, told))
        else:
            messages.info(request, _("v%(new)s has the content of v%(old)s already.") % values)
    return HttpResponseRedirect(reverse("admin:prompts_prompt_versions", args=[prompt.pk]))

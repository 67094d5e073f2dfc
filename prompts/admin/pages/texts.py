"""The current texts of two prompts beside each other, such as of near-duplicates."""

from django.contrib.admin import ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ...models import Prompt
from ..differences import differences
from .base import render


def show(model_admin: ModelAdmin, request: HttpRequest, prompt: Prompt) -> HttpResponse:
    ref = request.GET.get("with", "")
    other = Prompt.objects.by_ref(ref) if ref else None
    if other is None:
        raise Http404(_("There is no such prompt to compare with."))
    context = differences(request, prompt.text, other.text)
    context |= {"title": _("Compare texts"), "other": other}
    return render(model_admin, request, prompt, "texts", context)

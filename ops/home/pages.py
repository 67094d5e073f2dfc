"""The first page, and the part of it that asks for itself again."""

from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ops.health import watching
from prompts.models import User

from .first_steps import first_steps, put_away
from .overview import health_of_a_page, overview
from .tour import tour


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold asks for it by name: the context of the first page."""
    found = overview(cast(User, request.user), health_of_a_page()) | first_steps(request)
    return context | found | {"title": _("Home"), "has_events": _has_events(request)}


def urls() -> list[URLPattern]:
    """Of the console, below no model: for everybody on the staff."""
    view = admin.site.admin_view
    return [
        path("tour/", view(require_safe(tour)), name="tour"),
        path("first-steps/", view(require_POST(put_away)), name="first_steps"),
    ]


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The same as of now. Whose session is over gets the login in place of a part of a page."""
    if not admin.site.has_permission(request):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    found = overview(cast(User, request.user), watching.current()) | first_steps(request)
    return render(request, "admin/home/live.html", found)


def _has_events(request: HttpRequest) -> bool:
    """Whether `/events` is served: by this process, or by the one that a proxy leads to."""
    return isinstance(request, ASGIRequest) or bool(settings.REDIS_URL and settings.AFN_PROXIES)

"""Small pieces that the pages of operations have in common."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from prompts.models import User
from vectors.admin.display import short_time

if TYPE_CHECKING:
    from .jobs.models import Job

READ: Final = ("GET", "HEAD")
SCRIPT: Final = Script("afn/ops.js", type="module")
View = Callable[..., HttpResponseBase]


def page(view: View, permission: str, *methods: str) -> View:
    """A page of the console for who has the permission; in a list of addresses."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **values: Any) -> HttpResponseBase:
        if not request.user.has_perm(permission):
            raise PermissionDenied
        if request.method not in methods:
            return HttpResponseNotAllowed(methods)
        response = view(request, *args, **values)
        add_never_cache_headers(response)
        return response

    of_staff = admin.site.admin_view(guarded)

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **values: Any) -> HttpResponseBase:
        if request.headers.get("HX-Request") and not admin.site.has_permission(request):
            # Whose session is over gets the login, and not in the place of a part of a page.
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return of_staff(request, *args, **values)

    return asked


def actor(request: HttpRequest) -> User | None:
    """Whose doing it is."""
    return request.user if isinstance(request.user, User) else None


def said_started(request: HttpRequest, job: Job, title: str, *, was_there: bool = False) -> None:
    """Say that a job is on its way, with a link for who may see it."""
    text = _("%(title)s is under way already.") if was_there else _("%(title)s is on its way.")
    said = format_html("{}", text % {"title": title})
    if request.user.has_perm("ops.view_job"):
        url = reverse("admin:ops_job_change", args=[job.pk])
        said = format_html('{} <a class="text-link" href="{}">{}</a>', said, url, _("See the job"))
    messages.info(request, said) if was_there else messages.success(request, said)


def local_time(moment: datetime | None) -> SafeString | str:
    """A moment, which a script shows in the reader's own time zone (`static/afn/ops.js`)."""
    if moment is None:
        return "–"
    shown = short_time(moment)
    return format_html(
        '<time datetime="{}" data-local title="{} {}">{}</time>',
        moment.isoformat(timespec="seconds"),
        shown,
        f"{localtime(moment):%Z}",
        shown,
    )


def pill(kind: str, text: object) -> SafeString:
    """`kind`: success, danger, warning, info or default."""
    return format_html('<span class="afn-pill afn-pill-{}">{}</span>', kind, text)

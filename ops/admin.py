"""The console's page of environments: what there is, and forms for what can be done with them.

Every change is a POST of one form, which names its action; it needs the permission of that action.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, DELETION
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from unfold.admin import ModelAdmin

from . import comparison_page
from .admin_log import freeze, log
from .alerts import admin as alerts_admin  # noqa: F401 - registers itself
from .audit import admin as audit_admin  # noqa: F401 - registers itself
from .backups import admin as backups_admin  # noqa: F401 - registers itself
from .environments import current
from .environments.base import MAX_REASON, EnvironmentProblem, Provider
from .environments.opening import create_with_tables
from .health import admin as health_admin  # noqa: F401 - registers itself
from .home import pages as home_pages
from .jobs import admin as jobs_admin  # noqa: F401 - registers itself
from .jobs import for_collections  # noqa: F401 - offers itself
from .models import Environment
from .redis import pages as redis_pages
from .scheduling import admin as scheduling_admin  # noqa: F401 - registers itself
from .slow_queries import admin as slow_queries_admin  # noqa: F401 - registers itself
from .webhooks import admin as webhooks_admin  # noqa: F401 - registers itself

# Of unfold's site: pages below no model.
admin.site.extra_urls = lambda: [*redis_pages.urls(), *home_pages.urls()]  # type: ignore[attr-defined]


def _create(provider: Provider, name: str, form: Any) -> str:
    create_with_tables(provider, name)
    return _("%(name)s is made, with empty tables.") % {"name": name}


def _fork(provider: Provider, name: str, form: Any) -> str:
    source = form.get("source", "")
    provider.fork(source, name)
    return _("%(name)s is a copy of %(source)s, as it was a moment ago.") % {"name": name, "source": source}


def _delete(provider: Provider, name: str, form: Any) -> str:
    if form.get("confirmation", "").strip() != name:
        said = _("Nothing was deleted: type %(name)s into the field to confirm.")
        raise EnvironmentProblem(said % {"name": name})
    provider.delete(name)
    return _("%(name)s is deleted.") % {"name": name}


def _freeze(provider: Provider, name: str, form: Any) -> str:
    frozen = freeze(provider, name, form.get("reason", ""))
    said = _("%(name)s is frozen. Whoever writes there is told: %(reason)s")
    return said % {"name": name, "reason": frozen.frozen}


def _unfreeze(provider: Provider, name: str, form: Any) -> str:
    provider.unfreeze(name)
    return _("%(name)s can be written again.") % {"name": name}


# By the form's action: what it does, the permission it needs, and how the log calls it.
ACTIONS: dict[str, tuple[Callable[[Provider, str, Any], str], str, int]] = {
    "create": (_create, "add", ADDITION),
    "fork": (_fork, "add", ADDITION),
    "delete": (_delete, "delete", DELETION),
    "freeze": (_freeze, "change", CHANGE),
    "unfreeze": (_unfreeze, "change", CHANGE),
}


# How the audit log calls it.
DONE = {
    "create": "created",
    "fork": "forked",
    "delete": "deleted",
    "freeze": "frozen",
    "unfreeze": "unfrozen",
}


@admin.register(Environment)
class EnvironmentAdmin(ModelAdmin):
    def get_urls(self) -> list[URLPattern]:
        def view(page: Callable[[HttpRequest], HttpResponse]) -> Any:
            return self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(page))

        return [
            path("", view(self.page), name="ops_environment_changelist"),
            path("compare/", view(self.compare), name="ops_environment_compare"),
        ]

    def page(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("ops.view_environment"):
            raise PermissionDenied
        if request.method == "POST":
            return self._act(request)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Environments"),
            "max_reason": MAX_REASON,
        }
        try:
            provider = current.get_provider()
            context |= {"provider": provider, "environments": provider.list()}
        except EnvironmentProblem as problem:
            context["problem"] = str(problem)
        return TemplateResponse(request, "admin/ops/environments.html", context)

    def compare(self, request: HttpRequest) -> HttpResponse:
        return comparison_page.show(self.admin_site, request)

    def _act(self, request: HttpRequest) -> HttpResponse:
        action, name = request.POST.get("action", ""), request.POST.get("name", "").strip()
        if action not in ACTIONS:
            raise PermissionDenied
        run, permission, flag = ACTIONS[action]
        if not request.user.has_perm(f"ops.{permission}_environment"):
            raise PermissionDenied
        try:
            done = run(current.get_provider(), name, request.POST)
        except EnvironmentProblem as problem:
            messages.error(request, str(problem))
        else:
            log(request, name, flag, done, DONE[action])
            messages.success(request, done)
        return HttpResponseRedirect(reverse("admin:ops_environment_changelist"))

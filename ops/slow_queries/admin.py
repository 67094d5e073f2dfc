"""Slow queries in the console: by statement, a statement with its plan and its times, and one time of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from ops.console import READ, page
from prompts.admin.logs import LogAdmin
from vectors.admin.calling import call
from vectors.admin.charts import Axis, Chart, Point, Series
from vectors.admin.display import link, short_time

from . import plans
from .models import SlowQuery
from .reading import by_hour, databases, groups, one_group
from .redis_log import NotReadable, read_log

call(
    SlowQuery, _("slow query"), _("slow queries"), created_at=_("when"), rows=_("rows"),
    place=_("request, task or command"), caller=_("asked by"), request_id=_("request's id"),
    database=_("database"), error=_("error"),
)  # fmt: skip


_SHOWN = 100
_TIMES = 50
_USUAL = "168"
HOURS: Final[dict[str, Any]] = {
    "1": _("1 hour"),
    "24": _("24 hours"),
    _USUAL: _("7 days"),
    "720": _("30 days"),
}


@admin.register(SlowQuery)
class SlowQueryAdmin(LogAdmin):
    list_display = ("when", "took", "rows", "place", "caller", "request_id", "database")
    search_fields = ("fingerprint__exact", "request_id__exact", "place__startswith")
    search_help_text = _("A fingerprint, the id of a request, or the start of a request, task or command.")
    fields = (
        "created_at", "took", "rows", "shown_sql", "shown_plan", "place", "caller", "request_id", "database",
        "error", "all_times",
    )  # fmt: skip
    readonly_fields = fields

    class Media:
        css: ClassVar = {"all": ["afn/slow.css"]}

    def get_urls(self) -> list[Any]:
        of_statement = page(self.statement, "ops.view_slowquery", *READ)
        where = "statement/<str:fingerprint>/"
        return [path(where, of_statement, name="ops_slowquery_statement"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """By statement; what is searched for, in Django's list."""
        if request.method != "GET" or set(request.GET) - {"hours", "database"}:
            return super().changelist_view(request, extra_context)
        if not self.has_view_permission(request):
            raise PermissionDenied
        chosen = _chosen(request)
        found = groups(_SHOWN, since=chosen.since, database=chosen.database)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            **_filters(chosen),
            "title": gettext("Slow queries"),
            "groups": found,
            "chart": _chart(chosen) if found else None,
            "limit": settings.AFN_SLOW_QUERY_SECONDS,
        }
        try:
            context["redis"] = read_log()
        except NotReadable as reason:
            context["redis_problem"] = str(reason)
        return TemplateResponse(request, "admin/ops/slow_queries.html", context)

    def statement(self, request: HttpRequest, fingerprint: str) -> HttpResponse:
        """One statement: its plan, what may make it faster, and when it took long."""
        chosen = _chosen(request)
        group = one_group(fingerprint, since=chosen.since, database=chosen.database)
        if group is None:
            raise Http404(gettext("No such statement took long in this time."))
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            **_filters(chosen),
            "title": gettext("Slow query %(fingerprint)s") % {"fingerprint": fingerprint},
            "group": group,
            "plan": plans.tree(group.latest.plan),
            "advice": plans.advice(group.latest.plan),
            "chart": _chart(chosen, fingerprint),
            "times": SlowQuery.objects.filter(fingerprint=fingerprint, created_at__gte=chosen.since)[:_TIMES],
        }
        return TemplateResponse(request, "admin/ops/slow_query.html", context)

    @display(description=_("When"), ordering="id")
    def when(self, query: SlowQuery) -> str:
        return short_time(query.created_at)

    @display(description=_("Took"), ordering="seconds")
    def took(self, query: SlowQuery) -> str:
        return f"{number_format(query.seconds, decimal_pos=2)} s"

    @display(description="SQL")
    def shown_sql(self, query: SlowQuery) -> SafeString:
        return format_html('<pre class="afn-text">{}</pre>', query.sql)

    @display(description=_("Plan"))
    def shown_plan(self, query: SlowQuery) -> SafeString | str:
        if not query.plan:
            return "–"
        return render_to_string("admin/ops/plan.html", {"steps": plans.tree(query.plan)})

    @display(description=_("Statement"))
    def all_times(self, query: SlowQuery) -> SafeString:
        return link(reverse("admin:ops_slowquery_statement", args=[query.fingerprint]), query.fingerprint)


@dataclass(frozen=True, slots=True)
class Chosen:
    hours: str
    database: str
    since: datetime


def _chosen(request: HttpRequest) -> Chosen:
    hours = request.GET.get("hours", "")
    hours = hours if hours in HOURS else _USUAL
    database = request.GET.get("database", "")
    database = database if "\0" not in database else ""
    return Chosen(hours, database, timezone.now() - timedelta(hours=int(hours)))


def _filters(chosen: Chosen) -> dict[str, Any]:
    return {"chosen": chosen, "hours": HOURS.items(), "databases": databases()}


def _chart(chosen: Chosen, fingerprint: str = "") -> Chart:
    """A bar for each hour, also for those that had none."""
    found = by_hour(since=chosen.since, database=chosen.database, fingerprint=fingerprint)
    first = chosen.since.replace(minute=0, second=0, microsecond=0)
    hours = (first + timedelta(hours=number) for number in range(int(chosen.hours) + 1))
    name = gettext("Slow statements by hour")
    series = Series(name, [Point(at, found.get(at, 0)) for at in hours], "bar")
    return Chart("by-hour", name, [series], Axis(gettext("hour"), "time"), Axis(gettext("statements"), low=0))

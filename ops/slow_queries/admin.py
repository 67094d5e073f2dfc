"""Slow queries in the console: by statement, each time of one of them, and one with its plan."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from prompts.admin.logs import LogAdmin
from vectors.admin.display import short_time

from .models import SlowQuery
from .reading import groups
from .redis_log import NotReadable, read_log

_SHOWN = 100


@admin.register(SlowQuery)
class SlowQueryAdmin(LogAdmin):
    list_display = ("when", "took", "rows", "place", "caller", "request_id", "database")
    search_fields = ("fingerprint__exact", "request_id__exact", "place__startswith")
    search_help_text = "A fingerprint, the id of a request, or the start of a request, task or command."
    fields = (
        "created_at", "took", "rows", "shown_sql", "shown_plan", "place", "caller", "request_id", "database",
        "error", "fingerprint",
    )  # fmt: skip
    readonly_fields = fields

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """By statement; the times of one of them, or what is searched for, in Django's list."""
        if request.GET or request.method != "GET":
            return super().changelist_view(request, extra_context)
        if not self.has_view_permission(request):
            raise PermissionDenied
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Slow queries",
            "groups": groups(_SHOWN),
        }
        try:
            context["redis"] = read_log()
        except NotReadable as reason:
            context["redis_problem"] = str(reason)
        return TemplateResponse(request, "admin/ops/slow_queries.html", context)

    @display(description="When", ordering="id")
    def when(self, query: SlowQuery) -> str:
        return short_time(query.created_at)

    @display(description="Took", ordering="seconds")
    def took(self, query: SlowQuery) -> str:
        return f"{query.seconds:.2f} s"

    @display(description="SQL")
    def shown_sql(self, query: SlowQuery) -> SafeString:
        return format_html('<pre class="afn-text">{}</pre>', query.sql)

    @display(description="Plan")
    def shown_plan(self, query: SlowQuery) -> SafeString | str:
        return format_html('<pre class="afn-text">{}</pre>', query.plan) if query.plan else "–"

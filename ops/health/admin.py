"""Health in the console: each part now and over the last day, a page for each of them, and the records."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from ops.console import READ, page
from prompts.admin.logs import LogAdmin
from vectors.admin.calling import call
from vectors.admin.display import Labelled, short_time

from . import overview, timeline, wording
from .models import HealthRecord
from .names import PARTS

call(HealthRecord, _("health record"), _("health records"))

COLOURS = {"ok": "success", "degraded": "warning", "down": "danger", "disabled": "default"}


class PartFilter(admin.SimpleListFilter):
    title = _("part")
    parameter_name = "part"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, wording.title_of(name)) for name in PARTS]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(part=self.value()) if self.value() else None


class StatusFilter(admin.SimpleListFilter):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(status), word) for status, word in wording.STATUSES.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(status=self.value()) if self.value() else None


@admin.register(HealthRecord)
class HealthRecordAdmin(LogAdmin):
    empty_help = _(
        "How each part was is kept for 30 days. It is looked at every minute by the schedules, and "
        "whenever this page is open."
    )
    list_display = ("when", "shown_part", "shown_status", "shown_detail")
    list_filter = (PartFilter, StatusFilter)
    list_before_template = "admin/ops/health.html"

    def get_urls(self) -> list[Any]:
        own = (("live/", self.live, "live"), ("part/<str:part>/", self.part_page, "part"))
        pages = [
            path(where, page(view, "ops.view_healthrecord", *READ), name=f"ops_healthrecord_{name}")
            for where, view, name in own
        ]
        return [*pages, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context: dict[str, Any] = {"title": gettext("Health")}
        if self.has_view_permission(request):
            context |= overview.context()
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def live(self, request: HttpRequest) -> HttpResponse:
        """What is above the records, which asks for itself again."""
        return render(request, "admin/ops/health_live.html", overview.context())

    def part_page(self, request: HttpRequest, part: str) -> HttpResponse:
        """With the header of htmx only that of it which asks for itself again."""
        if part not in PARTS:
            raise Http404(gettext("There is no such part."))
        span, now = timeline.span_of(request.GET.get("range", "")), timezone.now()
        context = overview.of_part(part, span)
        if "HX-Request" in request.headers:
            return render(request, "admin/ops/health_part_live.html", context)
        title = pgettext("a part of AFN", "Health: %(part)s") % {"part": wording.title_of(part)}
        context |= {"title": title, "part": part, "spans": timeline.SPANS}
        context |= {"chart": timeline.figure_chart(part, span, now)}
        return TemplateResponse(
            request, "admin/ops/health_part.html", self.admin_site.each_context(request) | context
        )

    @display(description=_("When"), ordering="at")
    def when(self, record: HealthRecord) -> str:
        return short_time(record.at)

    @display(description=_("Part"), ordering="part")
    def shown_part(self, record: HealthRecord) -> str:
        return str(wording.title_of(record.part))

    @display(description=_("Status"), ordering="status", label=COLOURS)
    def shown_status(self, record: HealthRecord) -> Labelled:
        return Labelled(record.status, str(wording.word_of(record.status)))

    @display(description=_("Detail"))
    def shown_detail(self, record: HealthRecord) -> SafeString:
        """As it was written then: in English."""
        return format_html('<span lang="en">{}</span>', record.detail or "–")

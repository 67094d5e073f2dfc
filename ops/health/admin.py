"""Health in the console: how each part is now, how it was during the last day, and the records, to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from prompts.admin.logs import LogAdmin
from vectors.admin.display import short_time

from . import overview
from .models import HealthRecord
from .names import PARTS

COLOURS = {"ok": "success", "degraded": "warning", "down": "danger", "disabled": "default"}


class PartFilter(admin.SimpleListFilter):
    title = "part"
    parameter_name = "part"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in PARTS]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(part=self.value()) if self.value() else None


@admin.register(HealthRecord)
class HealthRecordAdmin(LogAdmin):
    list_display = ("when", "part", "shown_status", "detail")
    list_filter = (PartFilter, "status")
    list_before_template = "admin/ops/health.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"title": "Health"}
        if self.has_view_permission(request):
            context |= overview.context()
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @display(description="When", ordering="at")
    def when(self, record: HealthRecord) -> str:
        return short_time(record.at)

    @display(description="Status", ordering="status", label=COLOURS)
    def shown_status(self, record: HealthRecord) -> str:
        return record.status

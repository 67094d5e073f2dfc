"""Drills in the console: which backups were proved, when, and what was wrong with the others."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from prompts.admin.display import short_time

from .models import BackupDrill


@admin.register(BackupDrill)
class BackupDrillAdmin(ModelAdmin):
    list_display = ("when", "outcome", "backup", "rows", "probes", "took", "first_problem")
    list_filter = ("ok", ("created_at", admin.DateFieldListFilter))
    search_fields = ("backup__startswith", "sha256__startswith")
    search_help_text = "The start of a backup's name or of its SHA-256."
    list_per_page = 50
    show_full_result_count = False
    fields = ("when", "outcome", "backup", "sha256", "tables", "rows", "probes", "took", "all_problems")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="When", ordering="created_at")
    def when(self, drill: BackupDrill) -> str:
        return short_time(drill.created_at)

    @display(description="Outcome", ordering="ok", label={"proved": "success", "failed": "danger"})
    def outcome(self, drill: BackupDrill) -> str:
        return "proved" if drill.ok else "failed"

    @display(description="Took", ordering="seconds")
    def took(self, drill: BackupDrill) -> str:
        return f"{drill.seconds:.1f} s"

    @display(description="Problem")
    def first_problem(self, drill: BackupDrill) -> str:
        return str(drill.problems[0])[:120] if drill.problems else ""

    @display(description="Problems")
    def all_problems(self, drill: BackupDrill) -> str:
        return "\n".join(map(str, drill.problems)) or "none"

"""Drills in the console: which backups were proved, when, and what was wrong with the others."""

from django.contrib import admin
from unfold.decorators import display

from prompts.admin.logs import LogAdmin
from vectors.admin.display import short_time

from .models import BackupDrill


@admin.register(BackupDrill)
class BackupDrillAdmin(LogAdmin):
    list_display = ("when", "outcome", "backup", "rows", "probes", "took", "first_problem")
    list_filter = ("ok", ("created_at", admin.DateFieldListFilter))
    search_fields = ("backup__startswith", "sha256__startswith")
    search_help_text = "The start of a backup's name or of its SHA-256."
    fields = ("when", "outcome", "backup", "sha256", "tables", "rows", "probes", "took", "all_problems")
    readonly_fields = fields

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

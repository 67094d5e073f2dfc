"""Backups in the console: those that there are, and the drills that proved them or found them broken."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from ops import console
from prompts.admin.logs import LogAdmin
from vectors.admin.display import count, duration

from . import pages
from .models import BackupDrill

# What the pages call them: the list is of backups.
BackupDrill._meta.verbose_name_plural = _("backups")


@admin.register(BackupDrill)
class BackupDrillAdmin(LogAdmin):
    empty_help = _(
        "A drill restores a backup for a try and compares it with what was backed up. Make a backup, "
        "and prove it there."
    )
    empty_link = (_("Backups"), "admin:ops_backupdrill_changelist", "ops.view_backupdrill")
    list_display = ("when", "outcome", "backup", "shown_rows", "probes", "took", "first_problem")
    list_filter = ("ok", ("created_at", admin.DateFieldListFilter))
    search_fields = ("backup__startswith", "sha256__startswith")
    search_help_text = _("The start of a backup's name or of its SHA-256.")
    fields = ("when", "outcome", "backup", "sha256", "tables", "shown_rows", "probes", "took", "all_problems")
    readonly_fields = fields

    class Media:
        css = {"all": ("afn/ops.css",)}
        js = (console.SCRIPT,)

    def get_urls(self) -> list[URLPattern]:
        drills = self.admin_site.admin_view(self.drills_view)
        return [*pages.urls(), path("drills/", drills, name="ops_backupdrill_drills"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The backups; drills, also those that one searches for, are a page of their own."""
        if request.GET or request.method != "GET":
            return super().changelist_view(request, extra_context)
        if not self.has_view_permission(request):
            raise PermissionDenied
        return pages.list_page(request)

    def drills_view(self, request: HttpRequest) -> HttpResponse:
        return super().changelist_view(request, {"title": gettext("Drills of backups")})

    @display(description=_("When"), ordering="created_at")
    def when(self, drill: BackupDrill) -> SafeString | str:
        return console.local_time(drill.created_at)

    @display(description=_("Outcome"), ordering="ok")
    def outcome(self, drill: BackupDrill) -> SafeString:
        return (
            console.pill("success", gettext("proved"))
            if drill.ok
            else console.pill("danger", gettext("failed"))
        )

    @display(description=_("Rows"), ordering="rows")
    def shown_rows(self, drill: BackupDrill) -> str:
        return count(drill.rows)

    @display(description=_("Took"), ordering="seconds")
    def took(self, drill: BackupDrill) -> str:
        return duration(drill.seconds)

    @display(description=_("Problem"))
    def first_problem(self, drill: BackupDrill) -> str:
        return str(drill.problems[0])[:120] if drill.problems else ""

    @display(description=_("Problems"))
    def all_problems(self, drill: BackupDrill) -> str:
        return "\n".join(map(str, drill.problems)) or gettext("none")

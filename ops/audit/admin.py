from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from prompts.admin.display import short_time

from .models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ModelAdmin):
    """To read and to search. The log is only added to, by what it tells of."""

    list_display = ("when", "action", "object_name", "object_type", "actor_name", "source", "address")
    list_filter = ("source", ("created_at", admin.DateFieldListFilter))
    search_fields = (
        "action__startswith",
        "object_name__startswith",
        "object_id__exact",
        "actor_name__startswith",
    )
    search_help_text = "The start of an action, of an object's name or of a user's name, or an object's id."
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="When", ordering="id")
    def when(self, entry: AuditEntry) -> str:
        return short_time(entry.created_at)

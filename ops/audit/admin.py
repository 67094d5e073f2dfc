from django.contrib import admin
from unfold.decorators import display

from prompts.admin.logs import LogAdmin
from vectors.admin.display import short_time

from .models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(LogAdmin):
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

    @display(description="When", ordering="id")
    def when(self, entry: AuditEntry) -> str:
        return short_time(entry.created_at)

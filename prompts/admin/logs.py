"""Tables that the console shows and nobody edits there: logs, histories, what is being done."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin

from vectors.admin.paging import BoundedPaginator


class LogAdmin(ModelAdmin):
    """To read and to search. Rows are added by what they tell of; they are never all counted."""

    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

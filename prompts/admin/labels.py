"""Policies of labels, to be edited, and the log of their moves, to be read. Labels move by the API."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from vectors.admin.display import short_time

from ..models import LabelMove, LabelPolicy


@admin.register(LabelPolicy)
class LabelPolicyAdmin(ModelAdmin):
    list_display = ("name", "is_protected", "evidence", "minimum_items", "threshold")
    list_per_page = 50
    search_fields = ("name",)
    fields = (
        "name",
        "is_protected",
        "evidence",
        "score_name",
        "minimum_items",
        "threshold",
        "confidence",
        "margin",
    )


@admin.register(LabelMove)
class LabelMoveAdmin(ModelAdmin):
    """To read only: what happened stays as it was."""

    list_display = ("prompt", "label", "from_version", "to_version", "actor_name", "reason", "created")
    list_per_page = 50
    search_fields = ("prompt__name", "label", "actor_name")
    show_full_result_count = False
    fields = readonly_fields = (
        "prompt",
        "label",
        "from_version",
        "to_version",
        "actor_name",
        "reason",
        "evidence",
        "undoes",
        "created_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        moves = super().get_queryset(request).select_related("prompt")
        return moves.defer("prompt__content", "prompt__metadata", "prompt__config", "prompt__variables")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only together with the prompt, or the user whose prompt it is."""
        match = request.resolver_match
        return not (match and str(match.url_name).startswith("prompts_labelmove_"))

    @display(description="Moved", ordering="created_at")
    def created(self, move: LabelMove) -> str:
        return short_time(move.created_at)

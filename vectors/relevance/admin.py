"""Judgements and runs in the console, to look at: judging and measuring are done elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from unfold.admin import ModelAdmin

from vectors.relevance.models import EvaluationRun, Judgement

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class ReadOnlyAdmin(ModelAdmin):
    """Rows may be deleted, with the permission to: else nobody could delete their collection."""

    list_per_page = 50
    list_select_related = ("collection",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class JudgementAdmin(ReadOnlyAdmin):
    list_display = (
        "short_query",
        "key",
        "grade",
        "source",
        "language",
        "created_by",
        "created_at",
        "collection",
    )
    list_filter = (("collection", admin.RelatedOnlyFieldListFilter), "source", "language", "grade")
    search_fields = ("query", "key", "created_by")
    fields = ("collection", "query", "key", "grade", "source", "language", "created_by", "created_at")

    @admin.display(description="Query", ordering="query_hash")
    def short_query(self, judgement: Judgement) -> str:
        query = judgement.query
        return query if len(query) <= 80 else f"{query[:80]}…"


class EvaluationRunAdmin(ReadOnlyAdmin):
    list_display = ("id", "collection", "mode", "source", "n", "quality", "created_at")
    list_filter = (("collection", admin.RelatedOnlyFieldListFilter), "mode", "source")
    search_fields = ("collection__name", "mode", "source")
    fields = ("collection", "mode", "source", "n", "quality", "settings", "index", "created_at")
    readonly_fields = ("quality",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[EvaluationRun]:
        rows: QuerySet[EvaluationRun] = super().get_queryset(request)
        return rows.defer("scores")

    @admin.display(description="Means, and their 95 % intervals")
    def quality(self, run: EvaluationRun) -> str:
        return ", ".join(f"{name} {_interval(one)}" for name, one in run.metrics.items())


def _interval(figures: dict[str, float | None]) -> str:
    if figures["low"] is None or figures["high"] is None:
        return f"{figures['mean']:.3f}"
    return f"{figures['mean']:.3f} ({figures['low']:.3f}–{figures['high']:.3f})"


admin.site.register(Judgement, JudgementAdmin)
admin.site.register(EvaluationRun, EvaluationRunAdmin)

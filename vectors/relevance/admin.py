"""Judgements and runs in the console, to look at: judging and measuring are done elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from vectors.admin.display import count, link, short_time
from vectors.admin.paging import BoundedPaginator
from vectors.relevance.models import EvaluationRun, Judgement

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


def column(name: str, title: Any) -> Callable[[Any], Any]:
    """A field under a title of the reader's language; its choice in words, where it has choices."""

    @admin.display(description=title, ordering=name)
    def show(row: Any) -> Any:
        in_words = getattr(row, f"get_{name}_display", None)
        return in_words() if in_words else getattr(row, name)

    show.__name__ = name
    return show


class ReadOnlyAdmin(ModelAdmin):
    """Rows may be deleted, with the permission to: else nobody could delete their collection."""

    list_per_page = 50
    list_select_related = ("collection",)
    show_full_result_count = False
    paginator = BoundedPaginator

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("Collection"), ordering="collection")
    def quality_page(self, row: Any) -> SafeString:
        address = reverse("admin:vectors_collection_quality", args=[row.collection_id])
        return link(address, row.collection)

    @admin.display(description=_("When"), ordering="created_at")
    def when(self, row: Any) -> str:
        return short_time(row.created_at)


class JudgementAdmin(ReadOnlyAdmin):
    empty_help = _(
        "A judgement says how well an item answers a query. Search for prompts and click Good, Partly "
        "or No at the results; search quality is measured by it."
    )
    empty_link = (_("Search"), "admin:search", "prompts.view_prompt")
    list_display = (
        "short_query",
        column("key", _("Key")),
        column("grade", _("Grade")),
        column("source", _("Source")),
        column("language", _("Language")),
        column("created_by", _("Judged by")),
        "when",
        "quality_page",
    )
    list_filter = (("collection", admin.RelatedOnlyFieldListFilter), "source", "language", "grade")
    search_fields = ("query", "key", "created_by")
    search_help_text = _("A part of a query, of a key, or of the name of who judged.")
    fields = (
        "quality_page",
        column("query", _("Query")),
        column("key", _("Key")),
        column("grade", _("Grade")),
        column("source", _("Source")),
        column("language", _("Language")),
        column("created_by", _("Judged by")),
        "when",
    )
    readonly_fields = fields

    @admin.display(description=_("Query"), ordering="query_hash")
    def short_query(self, judgement: Judgement) -> str:
        query = judgement.query
        return query if len(query) <= 80 else f"{query[:80]}…"


class EvaluationRunAdmin(ReadOnlyAdmin):
    empty_help = _(
        "What searches were measured at is kept here. Judge results of searches first, then measure "
        "on a collection's page Quality."
    )
    empty_link = (_("Collections"), "admin:vectors_collection_changelist", "vectors.view_collection")
    list_display = ("number", "quality_page", column("mode", _("Mode")), column("source", _("Queries from")),
                    "queries", "ndcg", "mrr", "recall", "when")  # fmt: skip
    list_filter = (("collection", admin.RelatedOnlyFieldListFilter), "mode", "source")
    search_fields = ("collection__name", "mode", "source")
    search_help_text = _("A part of a collection's name, or a mode.")
    fields = (
        "quality_page",
        column("mode", _("Mode")),
        column("source", _("Queries from")),
        "queries",
        "quality",
        column("settings", _("Settings")),
        column("index", _("Index")),
        "when",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[EvaluationRun]:
        rows: QuerySet[EvaluationRun] = super().get_queryset(request)
        return rows.defer("scores")

    @admin.display(description=_("Run"), ordering="id")
    def number(self, run: EvaluationRun) -> int:
        return run.pk

    @admin.display(description=_("Queries"), ordering="n")
    def queries(self, run: EvaluationRun) -> str:
        return count(run.n)

    @admin.display(description="nDCG")
    def ndcg(self, run: EvaluationRun) -> str:
        return _mean(run, "ndcg")

    @admin.display(description="MRR")
    def mrr(self, run: EvaluationRun) -> str:
        return _mean(run, "mrr")

    @admin.display(description=_("Recall"))
    def recall(self, run: EvaluationRun) -> str:
        return _mean(run, "recall")

    @admin.display(description=_("Means, and their 95 % intervals"))
    def quality(self, run: EvaluationRun) -> str:
        return ", ".join(f"{name} {_interval(one)}" for name, one in run.metrics.items())


def _mean(run: EvaluationRun, metric: str) -> str:
    found = (_interval(one) for name, one in run.metrics.items() if name.partition("@")[0] == metric)
    return next(found, "–")


def _interval(figures: dict[str, float | None]) -> str:
    if figures["low"] is None or figures["high"] is None:
        return f"{figures['mean']:.3f}"
    return f"{figures['mean']:.3f} ({figures['low']:.3f}–{figures['high']:.3f})"


admin.site.register(Judgement, JudgementAdmin)
admin.site.register(EvaluationRun, EvaluationRunAdmin)

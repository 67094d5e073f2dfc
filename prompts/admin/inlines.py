"""What belongs to a prompt, shown on its page: its versions and its evaluations, both to read only."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display

from vectors.admin.display import chips, link, score_bar, short_time

from ..models import Evaluation, PromptVersion
from .display import diff_url


class _ReadOnlyInline(TabularInline):
    model: Any
    extra = 0
    per_page = 20
    tab = True
    hide_title = True
    can_delete = False
    show_change_link = False

    @display(description="Created")
    def created(self, row: Any) -> str:
        return short_time(row.created_at)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class VersionInline(_ReadOnlyInline):
    model = PromptVersion
    fields = readonly_fields = (
        "number",
        "served_as",
        "message",
        "author",
        "created",
        "characters",
        "difference",
    )
    verbose_name_plural = "versions"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        versions = (
            super().get_queryset(request).select_related("author").defer("content", "config", "variables")
        )
        versions = versions.filter(deleted_at=None).prefetch_related("labels")
        return versions.annotate(characters=Length("content")).order_by("-version")

    @display(description="Version")
    def number(self, version: PromptVersion) -> SafeString:
        return link(reverse("admin:prompts_promptversion_change", args=[version.pk]), f"v{version.version}")

    @display(description="Labels")
    def served_as(self, version: PromptVersion) -> SafeString:
        return chips(label.name for label in version.labels.all())

    @display(description="Characters")
    def characters(self, version: Any) -> str:
        return f"{version.characters:,}"

    @display(description="Changes")
    def difference(self, version: PromptVersion) -> SafeString | str:
        if version.version == 1:
            return "first version"
        old = version.version - 1
        return link(diff_url(version.prompt_id, old, version.version), f"v{old} → v{version.version}")


class EvaluationInline(_ReadOnlyInline):
    model = Evaluation
    fields = readonly_fields = ("bar", "of_version", "metric_chips", "created")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("version").defer("version__content")

    @display(description="Score")
    def bar(self, evaluation: Evaluation) -> SafeString:
        return score_bar(evaluation.score)

    @display(description="Metrics")
    def metric_chips(self, evaluation: Evaluation) -> SafeString:
        metrics = evaluation.metrics if isinstance(evaluation.metrics, dict) else {}
        return chips(f"{name} {value}"[:60] for name, value in metrics.items())

    @display(description="Version")
    def of_version(self, evaluation: Evaluation) -> str:
        return f"v{evaluation.version.version}" if evaluation.version else "–"

"""Single evaluations in the console: the scores that runs, people and applications gave."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from vectors.admin.display import chips, link, score_bar, short_time
from vectors.admin.paging import BoundedPaginator

from ..models import Evaluation
from .forms import EvaluationForm
from .score_charts import name_of


class ScoreFilter(admin.SimpleListFilter):
    title = _("score")
    parameter_name = "score"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("0-0.5", _("below 0.5")), ("0.5-0.8", _("0.5 to 0.8")), ("0.8-1.1", _("0.8 and better"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() not in [choice[0] for choice in self.lookup_choices]:
            return None
        least, below = str(self.value()).split("-")
        return queryset.filter(score__gte=float(least), score__lt=float(below))


@admin.register(Evaluation)
class EvaluationAdmin(ModelAdmin):
    """What was measured stays as it was: evaluations are added and deleted, not changed."""

    form = EvaluationForm
    empty_help = _(
        "Scores of versions, from 0 to 1, come from runs, from the API, or are added by hand. They "
        "decide which version is better."
    )
    empty_link = (_("Runs"), "admin:prompts_evaluationrun_changelist", "prompts.view_evaluationrun")
    list_display = ("prompt", "bar", "of_version", "what", "item", "metric_chips", "of_run", "created")
    list_filter = (ScoreFilter, ("created_at", admin.DateFieldListFilter))
    list_per_page = 50
    search_fields = ("prompt__name", "prompt__title")
    list_before_template = "admin/prompts/evaluation/before_list.html"
    show_full_result_count = False
    paginator = BoundedPaginator
    autocomplete_fields = ("prompt", "version")

    def get_queryset(self, request: HttpRequest) -> Any:
        evaluations = super().get_queryset(request).select_related("prompt", "version")
        return evaluations.defer("prompt__content", "prompt__metadata", "version__content")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("Score"), ordering="score")
    def bar(self, evaluation: Evaluation) -> SafeString:
        return score_bar(evaluation.score)

    @display(description=_("Version"))
    def of_version(self, evaluation: Evaluation) -> str:
        return f"v{evaluation.version.version}" if evaluation.version else "–"

    @display(description=_("What was judged"))
    def what(self, evaluation: Evaluation) -> str:
        return name_of(evaluation.name)

    @display(description=_("Metrics"))
    def metric_chips(self, evaluation: Evaluation) -> SafeString:
        metrics = evaluation.metrics if isinstance(evaluation.metrics, dict) else {}
        return chips(f"{name} {value}"[:60] for name, value in list(metrics.items())[:6])

    @display(description=_("Run"))
    def of_run(self, evaluation: Evaluation) -> SafeString | str:
        if not evaluation.run_id:
            return "–"
        return link(reverse("admin:prompts_evaluationrun_change", args=[evaluation.run_id]), _("Run"))

    @display(description=_("Created"), ordering="created_at")
    def created(self, evaluation: Evaluation) -> str:
        return short_time(evaluation.created_at)

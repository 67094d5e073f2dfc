"""How the versions of a prompt did, and their runs."""

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse

from ... import histories_of_scores
from ...evaluating import figures
from ...models import Evaluation, EvaluationRun, Prompt
from .. import score_charts
from ..differences import number_of
from .base import render

VERSIONS = 20
RUNS = 5
NAMES = 20


def show(model_admin: ModelAdmin, request: HttpRequest, prompt: Prompt) -> HttpResponse:
    names = _names(prompt)
    name = score_charts.chosen(names, request.GET.get("name", ""))
    before = number_of(request.GET.get("before"), 0) or None
    rows = histories_of_scores.by_version(prompt, name=name, before=before, limit=VERSIONS + 1)
    # Each with how much better it is than the version that was evaluated before it.
    pairs = zip(rows, [*rows[1:], None], strict=False)
    shown = [row | {"change": row["mean"] - older["mean"] if older else None} for row, older in pairs]
    shown = shown[:VERSIONS]
    return render(
        model_admin,
        request,
        prompt,
        "evaluations",
        {
            "names": [(one, score_charts.name_of(one)) for one in names],
            "name": name,
            "rows": shown,
            "older": shown[-1]["version"] if len(rows) > VERSIONS else None,
            "chart": score_charts.means_of_versions(shown, name),
            "runs": _runs(prompt) if request.user.has_perm("prompts.view_evaluationrun") else [],
        },
    )


def _names(prompt: Prompt) -> list[str]:
    """Of its scores: the main one, which has no name, is the first."""
    found = Evaluation.objects.filter(prompt=prompt.pk, version__isnull=False).order_by("name")
    return list(found.values_list("name", flat=True).distinct()[:NAMES])


def _runs(prompt: Prompt) -> list[tuple[EvaluationRun, figures.Figures]]:
    """The last ones."""
    found = EvaluationRun.objects.filter(prompt=prompt.pk).select_related("version", "dataset")
    runs = list(found.defer("version__content", "metrics").order_by("-created_at")[:RUNS])
    known = figures.of_runs(runs)
    return [(run, known[run.pk]) for run in runs]

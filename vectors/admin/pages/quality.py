"""How well a collection is searched: recall against latency, as tuned last; relevance, run by run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from vectors.admin.charts import Axis, Chart, Point, Series
from vectors.admin.pages.base import back_to, check_change, render, start_work
from vectors.admin.pages.overview import STRATEGIES
from vectors.admin.pages.progress import progress
from vectors.errors import InvalidQuery, VectorError, shown
from vectors.models import Collection, Index
from vectors.relevance.models import EvaluationRun, Judgement

if TYPE_CHECKING:
    from vectors.admin.collections import CollectionAdmin

_RUNS: Final = 60
_METRICS: Final = {"ndcg": "nDCG", "mrr": "MRR", "recall": "Recall"}


def show(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> HttpResponse:
    if request.method == "POST":
        return _start(model_admin, request, collection)
    tuning = Index.objects.filter(pk=collection.pk).values_list("tuning", flat=True).first()
    runs = list(collection.evaluation_runs.defer("scores").order_by("-pk")[:_RUNS])
    return render(
        model_admin,
        request,
        collection,
        "quality",
        {
            "tuning": tuning,
            "tuned_at": parse_datetime(tuning["at"]) if tuning else None,
            "chosen": _named(tuning["chosen"]) if tuning else "",
            "trade": _trade(tuning) if tuning else None,
            "runs": [(run, _means(run)) for run in runs],
            "metrics": list(_METRICS.values()),
            "charts": [_relevance(metric, runs) for metric in _METRICS] if runs else [],
            "has_judgements": Judgement.objects.filter(collection=collection).exists(),
            "tune": progress(request, collection, "tune_vectors"),
            "evaluate": progress(request, collection, "evaluate_search"),
        },
    )


def _start(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> HttpResponse:
    check_change(model_admin, request, collection)
    try:
        if request.POST.get("action") == "evaluate":
            start_work(request, "evaluate_search", {"collection": collection.name})
            said = _("The quality of search is measured in the background.")
        else:
            start_work(request, "tune_vectors", _asked(collection, request.POST))
            said = _("Recall and latency are measured in the background.")
    except VectorError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return back_to("quality", collection)


def _asked(collection: Collection, form: Mapping[str, str]) -> dict[str, Any]:
    recall, k = form.get("recall", ""), form.get("k", "")
    try:
        wanted = float(recall)
    except ValueError as error:
        raise InvalidQuery("recall", "a number above 0, up to 1", shown(recall[:64])) from error
    if not (k.isascii() and k.isdigit() and len(k) < 5):
        raise InvalidQuery("k", "an integer from 1", shown(k[:64]))
    return {
        "collection": collection.name,
        "recall": wanted,
        "k": int(k),
        "judged": form.get("judged") == "on",
    }


def _trade(tuning: Mapping[str, Any]) -> Chart:
    """Every trial, the chosen one marked, and the recall that was to be reached."""
    trials = tuning["trials"]
    by_strategy: dict[str, list[Point]] = {}
    for trial in sorted(trials, key=lambda one: one["p50_ms"]):
        by_strategy.setdefault(trial["strategy"], []).append(_point(trial))
    times = [trial["p50_ms"] for trial in trials]
    target = _("target %(recall)s") % {"recall": number_format(tuning["target"])}
    series = [Series(str(STRATEGIES[name]), points, "points") for name, points in by_strategy.items()]
    return Chart(
        "trade",
        _("Recall against latency, as measured last"),
        [
            *series,
            Series(_("chosen"), [_point(tuning["chosen"])], "points", is_marked=True),
            Series(target, [Point(one, tuning["target"]) for one in (min(times), max(times))]),
        ],
        Axis(_("median latency, ms"), "log"),
        Axis(_("recall@%(k)s") % {"k": tuning["k"]}),
        can_zoom=True,
    )


def _point(trial: Mapping[str, Any]) -> Point:
    return Point(trial["p50_ms"], trial["recall"], text=_named(trial))


def _named(trial: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{name} {number_format(value)}" for name, value in trial["settings"].items())
    name = str(STRATEGIES[trial["strategy"]])
    return f"{name} ({settings})" if settings else name


def _relevance(metric: str, runs: Sequence[EvaluationRun]) -> Chart:
    """One figure over time, a line for each mode and source of queries: others do not compare."""
    lines: dict[str, list[Point]] = {}
    for run in reversed(runs):
        for name, figures in run.metrics.items():
            if name.partition("@")[0] == metric:
                line = f"{run.mode}, {run.get_source_display()}"
                lines.setdefault(line, []).append(_dated(run, figures))
    return Chart(
        metric,
        _METRICS[metric],
        [Series(name, points) for name, points in lines.items()],
        Axis(_("time"), "time"),
        _scale(metric, lines),
    )


def _scale(metric: str, lines: Mapping[str, Sequence[Point]]) -> Axis:
    """As the figures need it; where all are the same that would be around them, below zero too."""
    is_flat = len({point.y for points in lines.values() for point in points}) < 2
    return Axis(_METRICS[metric], low=0.0, high=1.0) if is_flat else Axis(_METRICS[metric])


def _dated(run: EvaluationRun, figures: Mapping[str, Any]) -> Point:
    has_interval = figures["low"] is not None and figures["high"] is not None
    ends = {"low": figures["low"], "high": figures["high"]} if has_interval else {}
    return Point(run.created_at, figures["mean"], **ends)


def _means(run: EvaluationRun) -> list[Mapping[str, Any]]:
    found = {name.partition("@")[0]: figures for name, figures in run.metrics.items()}
    return [found.get(metric, {}) for metric in _METRICS]

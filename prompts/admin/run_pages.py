"""The pages of evaluation runs: one of them, two of them beside each other, what is running, the form."""

from collections.abc import Sequence
from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from vectors.admin.display import duration

from ..errors import RegistryProblem
from ..evaluating import figures, runs
from ..models import Dataset, DatasetItem, Evaluation, EvaluationRun, Prompt, RunOutput, RunStatus, User
from ..pairing import reason_of
from ..rendering.errors import TemplateProblem
from ..tasks import run_later
from . import run_outputs, score_charts
from .differences import number_of
from .items import shown
from .pairs import context_of
from .run_forms import OFFERED, RunForm

RUN_COLOURS: Final = {
    "queued": "warning",
    "running": "info",
    "done": "success",
    "failed": "danger",
    "cancelled": "default",
}
_NAMES: Final = {
    RunStatus.QUEUED: gettext_lazy("queued"),
    RunStatus.RUNNING: gettext_lazy("running"),
    RunStatus.DONE: gettext_lazy("done"),
    RunStatus.FAILED: gettext_lazy("failed"),
    RunStatus.CANCELLED: gettext_lazy("cancelled"),
}
ITEMS: Final = 20  # a page
RUNNING: Final = 10  # shown above the list
BELOW: Final = 0.5
OTHERS: Final = 20  # runs to compare with


def status_name(status: str) -> Any:
    return _NAMES[RunStatus(status)]


def money(dollars: float) -> str:
    return f"${number_format(dollars, decimal_pos=4 if 0 < dollars < 1 else 2)}"


def took(run: EvaluationRun) -> str:
    seconds = figures.duration_of(run).total_seconds()
    return duration(seconds if seconds < 10 else int(seconds))


def show(
    model_admin: ModelAdmin,
    request: HttpRequest,
    run: EvaluationRun,
    kept: Sequence[run_outputs.OpenItem] = (),
) -> HttpResponse:
    """One run; `kept` are outputs that were typed and not stored."""
    metrics = figures.metrics_of(run)
    names = [metric.name for metric in metrics]
    name = score_charts.chosen(names, request.GET.get("name", ""))
    limit = _share(request.GET.get("below"))
    page = max(number_of(request.GET.get("page"), 1), 1)
    chosen = next((metric for metric in metrics if metric.name == name), None)
    found = list(figures.below(run, name, limit)[(page - 1) * ITEMS : page * ITEMS + 1])
    return TemplateResponse(
        request,
        "admin/prompts/evaluationrun/run.html",
        {
            **_shared(model_admin, request, str(run.name or run.prompt.name)),
            **_of_one(request, run),
            "metrics": [(score_charts.name_of(metric.name), metric) for metric in metrics],
            "name": name,
            "below": limit,
            "means_chart": score_charts.means_of_metrics(metrics) if metrics else None,
            "spread_chart": score_charts.spread(chosen) if chosen else None,
            "items": _items(run, found[:ITEMS], name),
            "problems": list(run.outputs.exclude(problem="").order_by("item")[:ITEMS]),
            "page": page,
            "has_more": len(found) > ITEMS,
            "others": _others(run),
            **run_outputs.waiting(request, run),
            **({"open_items": kept, "open_after": ""} if kept else {}),
        },
    )


def compare(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    keys = [request.GET.get(side, "") for side in ("from", "to")]
    known = EvaluationRun.objects.select_related("prompt", "version", "dataset").in_bulk(keys)
    old, new = (known.get(key) for key in keys)
    context: dict[str, Any] = {"old_run": old, "new_run": new}
    if old and new:
        context |= context_of(request, old, new)
        context |= {"old_title": _title(old), "new_title": _title(new)}
        context |= {"sides": {"from": old.pk, "to": new.pk}}
    return TemplateResponse(
        request,
        "admin/prompts/evaluationrun/compare.html",
        _shared(model_admin, request, _("Compare runs")) | context,
        status=200 if old and new else 404,
    )


def running() -> dict[str, Any]:
    """Of the runs that are not over, the last begun, with how far they are."""
    found = EvaluationRun.objects.filter(status__in=(RunStatus.QUEUED, RunStatus.RUNNING))
    found = found.filter(prompt__deleted_at=None).select_related("prompt", "version", "dataset")
    first = list(found.only(*_SHOWN).order_by("-created_at")[:RUNNING])
    known = figures.of_runs(first) if first else {}
    return {"running": [(run, known[run.pk]) for run in first]}


def running_now(request: HttpRequest) -> HttpResponse:
    """The part of the list that is fetched again and again while anything is running."""
    return TemplateResponse(request, "admin/prompts/evaluationrun/running.html", running())


def progress(request: HttpRequest, run: EvaluationRun) -> HttpResponse:
    """The part of a run's page that is fetched again and again; once it is over, the whole page is."""
    answer = TemplateResponse(request, "admin/prompts/evaluationrun/progress.html", _of_one(request, run))
    if run.is_over:
        answer["HX-Refresh"] = "true"
    return answer


def cancel(request: HttpRequest, run: EvaluationRun) -> HttpResponse:
    try:
        runs.cancel(run)
    except RegistryProblem as problem:
        messages.error(request, problem.sentence)
    else:
        messages.success(request, _("The run was cancelled; what is done is kept."))
    return HttpResponseRedirect(_address(run))


def add(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    initial = {name: request.GET[name] for name in ("prompt", "version", "dataset") if name in request.GET}
    form = RunForm(request.POST) if request.method == "POST" else RunForm(initial=initial)
    if request.method == "POST" and form.is_valid() and (run := _begin(request, form)):
        messages.success(request, _("The run has begun."))
        return HttpResponseRedirect(_address(run))
    return TemplateResponse(
        request,
        "admin/prompts/evaluationrun/add.html",
        {
            **_shared(model_admin, request, _("Begin a run")),
            "form": form,
            "prompts": Prompt.objects.order_by("-updated_at", "name").values_list("name", flat=True)[
                :OFFERED
            ],
            "datasets": Dataset.objects.order_by("-updated_at", "name").values_list("name", flat=True)[
                :OFFERED
            ],
        },
    )


def _begin(request: HttpRequest, form: RunForm) -> EvaluationRun | None:
    """None where it is refused: then the form says why."""
    values = form.cleaned_data
    try:
        with transaction.atomic():
            run = runs.create_run(
                values["prompt"],
                values["found_version"],
                values["dataset"],
                form.metrics,
                user=cast(User, request.user),
                model=values["model"],
                parameters=form.parameters,
                budget=values["budget"],
                name=values["name"],
            )
            if run.model:
                transaction.on_commit(lambda: run_later(run.pk), robust=True)
    except (RegistryProblem, TemplateProblem) as problem:
        text = f"Expected {problem.expected}, got {problem.got}."
        form.add_error(form.field_of(problem.field), text)
    except ValidationError as error:
        for name, texts in error.message_dict.items():
            form.add_error(form.field_of(name), " ".join(texts))
    else:
        return run
    return None


def _shared(model_admin: ModelAdmin, request: HttpRequest, title: str) -> dict[str, Any]:
    return {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
    }


def _of_one(request: HttpRequest, run: EvaluationRun) -> dict[str, Any]:
    known = figures.of_runs([run])[run.pk]
    return {
        "run": run,
        "figures": known,
        "status": status_name(run.status),
        "colour": RUN_COLOURS[run.status],
        "took": took(run),
        "cost": money(run.cost),
        "may_cancel": not run.is_over and request.user.has_perm("prompts.change_evaluationrun"),
    }


def _items(run: EvaluationRun, found: Sequence[Evaluation], name: str) -> list[dict[str, Any]]:
    """Each with what went in, what was expected, what came out, and what the metrics say. Three queries."""
    keys = [evaluation.item for evaluation in found]
    outputs = {one.item: one for one in RunOutput.objects.filter(run=run.pk, item__in=keys)}
    inputs = {one.key: one for one in DatasetItem.objects.filter(dataset=run.dataset_id, key__in=keys)}
    said: dict[str, list[tuple[str, float, str]]] = {}
    others = Evaluation.objects.filter(run=run.pk, item__in=keys).exclude(name="").order_by("name")
    for item, metric, score, details in others.values_list("item", "name", "score", "metrics"):
        said.setdefault(item, []).append((metric, score, reason_of(details)))
    return [
        {
            "key": one.item,
            "score": one.score,
            "output": outputs.get(one.item),
            "item": shown(inputs.get(one.item)),
            "said": said.get(one.item, []),
        }
        for one in found
    ]


def _others(run: EvaluationRun) -> list[EvaluationRun]:
    """Runs on the same dataset, to compare with."""
    found = EvaluationRun.objects.filter(dataset=run.dataset_id, prompt__deleted_at=None).exclude(pk=run.pk)
    return list(found.select_related("prompt", "version").only(*_SHOWN).order_by("-created_at")[:OTHERS])


def _title(run: EvaluationRun) -> str:
    of = f"{run.prompt.name} v{run.version.version}"
    return f"{of}, {run.name or run.model}" if run.name or run.model else of


def _share(text: str | None) -> float:
    """A score from 0 to 1; anything else is the usual limit."""
    try:
        value = float(text or "")
    except ValueError:
        return BELOW
    return value if 0 <= value <= 1 else BELOW


def _address(run: EvaluationRun) -> str:
    return reverse("admin:prompts_evaluationrun_change", args=[run.pk])


_SHOWN: Final = (
    "name", "status", "model", "total", "cost", "created_at", "finished_at", "dataset_id",
    "prompt__name", "version__version",
)  # fmt: skip

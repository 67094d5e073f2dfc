"""Runs: a version tried on every item of a dataset, and judged.

A run is worked off item by item, each in a transaction of its own: what is done is kept, whatever becomes of
the worker, and another one goes on where it stopped. One works at a time, by a lease that it renews.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from ..errors import NotThere, Refused, RegistryProblem
from ..events import Event, tell
from ..models import (
    Dataset,
    DatasetItem,
    Evaluation,
    EvaluationRun,
    Prompt,
    PromptVersion,
    RunOutput,
    RunStatus,
    User,
)
from ..rendering.errors import TemplateProblem
from ..rendering.template import render
from ..serving import reading
from . import completions, judge, metrics
from .completions import Completion
from .errors import ModelFailed
from .metrics import Metric, Sample, Score

LEASE: Final = timedelta(minutes=5)
SLICE_SECONDS: Final = 60.0
MAX_RESULTS: Final = 1_000
Ask = Callable[..., Completion]


@dataclass(frozen=True, slots=True)
class Result:
    """What came out for an item, from wherever."""

    item: str
    output: str = ""
    problem: str = ""
    latency_ms: float | None = None
    cost: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


def create_run(
    prompt: Prompt,
    version: PromptVersion,
    dataset: Dataset,
    wanted: Any,
    *,
    user: User | None,
    model: str = "",
    parameters: Mapping[str, Any] | None = None,
    budget: float | None = None,
    name: str = "",
) -> EvaluationRun:
    """A run that waits to be worked off; without a `model` its results are sent in (`add_results`).

    Raises ``RegistryProblem`` or ``InvalidMetric`` by field.
    """
    found = metrics.parse(wanted)
    for member in parameters or {}:
        if member not in completions.PARAMETERS:
            known = ", ".join(completions.PARAMETERS)
            raise RegistryProblem(f"parameters.{member[:64]}", f"one of {known}", "another one")
    total = dataset.items.count()
    if not total:
        raise Refused("dataset", "a dataset with items", f"{dataset.name} without any")
    if budget is not None:
        _check_prices(found, model)
    run = EvaluationRun(
        prompt=prompt, version=version, dataset=dataset, name=name, metrics=wanted, model=model,
        parameters=dict(parameters or {}), budget=budget, total=total, user=user,
        status=RunStatus.QUEUED if model else RunStatus.RUNNING,
    )  # fmt: skip
    run.full_clean()
    run.save()
    return run


def process(run_id: str, *, seconds: float = SLICE_SECONDS, ask: Ask = completions.complete) -> bool:
    """Work on a run for so long; returns whether there is more to do. Not where somebody else is on it."""
    run = _claim(run_id)
    if run is None:
        return False
    end = time.monotonic() + seconds
    try:
        for item in _open_items(run):
            if time.monotonic() >= end:
                return _release(run)
            if not _renew(run):  # cancelled meanwhile
                return False
            if reason := _over_budget(run):
                return _finish(run, RunStatus.FAILED, reason)
            result = _try(run, item, ask)
            _keep(run, item, result, ask)
    except ModelFailed as error:
        return _finish(run, RunStatus.FAILED, str(error))
    return _finish(run, RunStatus.DONE, _count_problems(run))


def add_results(run: EvaluationRun, results: Sequence[Result], *, ask: Ask = completions.complete) -> int:
    """Results from outside, judged by the run's metrics; returns how many were new. With the last item the
    run is done. Raises ``Refused`` for a run that is over or has a model, ``NotThere`` for strange items.
    """
    if run.model or run.is_over:
        what = f"one that is {run.status}" if run.is_over else "one with a model"
        raise Refused("run", "a run whose results are sent in", what)
    items = {item.key: item for item in run.dataset.items.filter(key__in=[one.item for one in results])}
    for at, result in enumerate(results):
        if result.item not in items:
            raise NotThere(f"results[{at}].item", f"an item of {run.dataset.name}", repr(result.item[:100]))
    done = set(run.outputs.filter(item__in=items).values_list("item", flat=True))
    new = [result for result in results if result.item not in done]
    with transaction.atomic():
        for result in new:
            _keep(run, items[result.item], result, ask)
    if run.outputs.count() >= run.total:
        _finish(run, RunStatus.DONE, _count_problems(run))
    return len(new)


def cancel(run: EvaluationRun) -> None:
    """Stop it after the item that is being worked on; what is done is kept. Raises ``Refused``."""
    changed = EvaluationRun.objects.filter(
        pk=run.pk, status__in=(RunStatus.QUEUED, RunStatus.RUNNING)
    ).update(status=RunStatus.CANCELLED, finished_at=timezone.now(), claimed_until=None)
    if not changed:
        raise Refused("run", "a run that is not over", f"one that is {run.status}")


def waiting(limit: int = 100) -> list[str]:
    """Ids of runs with a model that nobody is on: new ones, and those whose worker is gone."""
    return list(_free().order_by("created_at").values_list("pk", flat=True)[:limit])


def _free() -> Any:
    now = timezone.now()
    return EvaluationRun.objects.exclude(model="").filter(
        Q(claimed_until=None) | Q(claimed_until__lt=now), status__in=(RunStatus.QUEUED, RunStatus.RUNNING)
    )


def _claim(run_id: str) -> EvaluationRun | None:
    claimed = _free().filter(pk=run_id).update(status=RunStatus.RUNNING, claimed_until=timezone.now() + LEASE)
    if claimed != 1:
        return None
    return EvaluationRun.objects.select_related("prompt", "version", "dataset").get(pk=run_id)


def _renew(run: EvaluationRun) -> bool:
    mine = EvaluationRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING)
    return mine.update(claimed_until=timezone.now() + LEASE) == 1


def _release(run: EvaluationRun) -> bool:
    EvaluationRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(claimed_until=None)
    return True


def _finish(run: EvaluationRun, status: RunStatus, problem: str) -> bool:
    with transaction.atomic():
        changed = EvaluationRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(
            status=status, problem=problem, finished_at=timezone.now(), claimed_until=None
        )
        if changed:
            data = {"run": run.pk, "status": str(status), "version": run.version.version}
            tell(Event("run.finished", run.prompt_id, run.prompt.name, run.user_id or "", data), "default")
    return False


def _open_items(run: EvaluationRun) -> Iterable[DatasetItem]:
    done = run.outputs.values("item")
    return run.dataset.items.exclude(key__in=done).order_by("key").iterator(chunk_size=50)


def _over_budget(run: EvaluationRun) -> str:
    if run.budget is None:
        return ""
    run.refresh_from_db(fields=["cost"])
    costs = run.outputs.order_by(F("cost").desc(nulls_last=True)).values_list("cost", flat=True)
    dearest = costs.first() or 0.0
    if run.cost + dearest <= run.budget:
        return ""
    return f"The budget of ${run.budget:g} would not do for another item: ${run.cost:.4g} are spent."


def _try(run: EvaluationRun, item: DatasetItem, ask: Ask) -> Result:
    try:
        answer = ask(_messages(run, item), model=run.model, parameters=run.parameters)
    except (TemplateProblem, RegistryProblem) as problem:
        return Result(item.key, problem=str(problem)[:1_000])
    return Result(
        item.key, answer.text, "", answer.latency_ms, answer.cost, answer.tokens_in, answer.tokens_out
    )


def _messages(run: EvaluationRun, item: DatasetItem) -> list[dict[str, str]]:
    served = reading.read(run.prompt_id, version=run.version.version)
    rendered = render(served.compose().template, item.variables, item.placeholders)
    return rendered.messages if served.type == "chat" else [{"role": "user", "content": rendered.text}]


def _keep(run: EvaluationRun, item: DatasetItem, result: Result, ask: Ask) -> None:
    found = metrics.parse(run.metrics)
    sample = Sample(result.output, item.expected, result.latency_ms, result.cost)
    scores: dict[str, Score] = {}
    spent = result.cost or 0.0
    problem = result.problem
    if not problem:
        for metric in found:
            try:
                score, cost = _score(metric, sample, run, item, ask)
            except ModelFailed as error:
                problem = str(error)
                continue
            spent += cost
            if score is not None:
                scores[metric.name] = score
    main = metrics.main_score(found, scores)
    with transaction.atomic():
        RunOutput.objects.create(
            run=run, item=item.key, output=result.output, problem=problem, latency_ms=result.latency_ms,
            cost=result.cost, tokens_in=result.tokens_in, tokens_out=result.tokens_out,
        )  # fmt: skip
        rows = [(name, score.value, score.details) for name, score in scores.items()]
        if main is not None and not problem:
            rows.append(("", main, {}))
        Evaluation.objects.bulk_create(
            Evaluation(
                prompt_id=run.prompt_id, version_id=run.version_id, run=run, item=item.key, name=name,
                score=value, metrics=details,
            )
            for name, value, details in rows
        )  # fmt: skip
        EvaluationRun.objects.filter(pk=run.pk).update(cost=F("cost") + spent)


def _score(
    metric: Metric, sample: Sample, run: EvaluationRun, item: DatasetItem, ask: Ask
) -> tuple[Score | None, float]:
    if not metric.needs_model:
        return metric.score(sample), 0.0
    request = json.dumps(item.variables, ensure_ascii=False)
    score, answer = judge.judge(metric, sample, request, ask=ask)
    return score, answer.cost or 0.0


def _count_problems(run: EvaluationRun) -> str:
    count = run.outputs.exclude(problem="").count()
    return f"{count:,} of {run.total:,} items failed." if count else ""


def _check_prices(found: Sequence[Metric], model: str) -> None:
    models: list[str] = [model] if model else []
    models += [
        str(metric.options.get("model") or settings.AFN_LLM_MODEL) for metric in found if metric.needs_model
    ]
    for one in models:
        if completions.price_of(one) is None:
            raise RegistryProblem(
                "budget", "models whose prices are known", repr(one), "Add it to AFN_LLM_PRICES."
            )

"""Runs: a version tried on every item of a dataset, and judged.

A run is worked off item by item, each in a transaction of its own: what is done is kept, whatever becomes of
the worker, and another one goes on where it stopped. One works at a time, by a lease that it renews.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
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

logger = logging.getLogger(__name__)
# Longer than one question to a model can last, with all its attempts: it is renewed before each.
LEASE: Final = timedelta(minutes=10)
SLICE_SECONDS: Final = 60.0
MAX_RESULTS: Final = 1_000
MAX_OUTPUT: Final = 1_000_000  # characters that are sent in
_NO_COST: Final = "The model's service does not say how many tokens it took, so no budget can be kept."
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


@dataclass(slots=True)
class _Judged:
    """A result with its scores. ``spent`` is what is known of its cost, ``cost`` all of it, None where a
    service did not say.
    """

    result: Result
    problem: str = ""
    scores: dict[str, Score] = field(default_factory=dict)
    main: float | None = None
    spent: float = 0.0
    cost: float | None = None


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
    _check_judges(found)
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
        for item in open_items(run).iterator(chunk_size=50):
            if time.monotonic() >= end:
                return _release(run)
            _renew(run)
            if reason := _over_budget(run):
                return _finish(run, RunStatus.FAILED, reason)
            asking = _renewing(run, ask)
            judged = _judge(run, item, _try(run, item, asking), asking)
            _store(run, judged)
            if run.budget is not None and judged.cost is None:
                return _finish(run, RunStatus.FAILED, _NO_COST)
    except _Lost:  # whoever has it now goes on
        return False
    except IntegrityError as error:
        # Where the run is lost, somebody else has done the item, or it is deleted. Where it is not, to try
        # again would be to pay again.
        if not _mine(run).exists():
            return False
        logger.error("Run %s: a result cannot be stored: %s", run.pk, error)
        return _finish(run, RunStatus.FAILED, "A result could not be stored; the log says why.")
    except ModelFailed as error:
        return _finish(run, RunStatus.FAILED, str(error))
    return _conclude(run)


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
    new = {result.item: result for result in reversed(results) if result.item not in done}  # the first counts
    judged: list[_Judged] = []
    problem = ""
    for result in reversed(new.values()):  # a model may be asked: not within a transaction
        if problem := _over_budget(run, judged) if _has_judge(run) else "":
            break
        one = _judge(run, items[result.item], result, ask)
        judged.append(one)
        if run.budget is not None and one.cost is None:
            problem = _NO_COST
            break
    with transaction.atomic():
        for one in judged:
            _store(run, one)
    if problem:
        _finish(run, RunStatus.FAILED, problem)
    elif run.outputs.count() >= run.total:
        _conclude(run)
    return len(judged)


def open_items(run: EvaluationRun) -> QuerySet[DatasetItem]:
    """Those without a result, by key."""
    done = run.outputs.values("item")
    return run.dataset.items.exclude(key__in=done).order_by("key")


def cancel(run: EvaluationRun) -> None:
    """Stop it after the item that is being worked on; what is done is kept. Raises ``Refused``."""
    with transaction.atomic():
        changed = EvaluationRun.objects.filter(
            pk=run.pk, status__in=(RunStatus.QUEUED, RunStatus.RUNNING)
        ).update(status=RunStatus.CANCELLED, finished_at=timezone.now(), claimed_until=None)
        if not changed:
            raise Refused("run", "a run that is not over", f"one that is {run.status}")
        _tell_of_end(run, RunStatus.CANCELLED)


def waiting(limit: int = 100) -> list[str]:
    """Ids of runs with a model that nobody is on: new ones, and those whose worker is gone."""
    return list(_free().order_by("created_at").values_list("pk", flat=True)[:limit])


def _free() -> Any:
    now = timezone.now()
    return EvaluationRun.objects.exclude(model="").filter(
        Q(claimed_until=None) | Q(claimed_until__lt=now), status__in=(RunStatus.QUEUED, RunStatus.RUNNING)
    )


class _Lost(Exception):
    """The run is somebody else's now, or cancelled."""


def _claim(run_id: str) -> EvaluationRun | None:
    until = timezone.now() + LEASE
    if _free().filter(pk=run_id).update(status=RunStatus.RUNNING, claimed_until=until) != 1:
        return None
    run = EvaluationRun.objects.select_related("prompt", "version", "dataset").filter(pk=run_id).first()
    # Who claimed it after us, where we slept in between, has another moment there.
    return run if run is not None and run.claimed_until == until else None


def _mine(run: EvaluationRun) -> Any:
    """The run, while its lease is the one that we hold: whoever was too slow finds another one there."""
    return EvaluationRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING, claimed_until=run.claimed_until)


def _renew(run: EvaluationRun) -> None:
    """Raises ``_Lost``."""
    until = timezone.now() + LEASE
    if _mine(run).update(claimed_until=until) != 1:
        raise _Lost
    run.claimed_until = until


def _renewing(run: EvaluationRun, ask: Ask) -> Ask:
    """Asking, each time with a lease that lasts until there is an answer."""

    def asked(*arguments: Any, **options: Any) -> Completion:
        try:
            _renew(run)
        except _Lost:
            # One that is cancelled still has this item done.
            if EvaluationRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).exists():
                raise
        return ask(*arguments, **options)

    return asked


def _release(run: EvaluationRun) -> bool:
    _mine(run).update(claimed_until=None)
    return True


def _finish(run: EvaluationRun, status: RunStatus, problem: str) -> bool:
    with transaction.atomic():
        changed = _mine(run).update(
            status=status, problem=problem, finished_at=timezone.now(), claimed_until=None
        )
        if changed:
            _tell_of_end(run, status)
    return False


def _tell_of_end(run: EvaluationRun, status: RunStatus) -> None:
    # By whom is left open for one that was cancelled: whoever asks is not who began it.
    actor = "" if status == RunStatus.CANCELLED else run.user_id or ""
    data = {"run": run.pk, "status": str(status), "version": run.version.version}
    tell(Event("run.finished", run.prompt_id, run.prompt.name, actor, data), "default")


def _over_budget(run: EvaluationRun, more: Sequence[_Judged] = ()) -> str:
    """Why another item would be too dear, by what items cost so far; `more` are not stored yet."""
    if run.budget is None:
        return ""
    run.refresh_from_db(fields=["cost"])
    spent = run.cost + sum(one.spent for one in more)
    costs = run.outputs.order_by(F("cost").desc(nulls_last=True)).values_list("cost", flat=True)
    count = run.outputs.count() + len(more)
    # What judges cost is known of the whole run only.
    another = max(costs.first() or 0.0, spent / count if count else 0.0)
    if spent + another <= run.budget:
        return ""
    return f"The budget of ${run.budget:g} would not do for another item: ${spent:.4g} are spent."


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


def _judge(run: EvaluationRun, item: DatasetItem, result: Result, ask: Ask) -> _Judged:
    """Nothing is written, for a model may be asked, which takes its time."""
    found = metrics.parse(run.metrics)
    sample = Sample(result.output, item.expected, result.latency_ms, result.cost)
    judged = _Judged(result, problem=result.problem)
    costs = [result.cost] if run.model and not result.problem else []
    judged.spent = result.cost or 0.0
    for metric in found if not result.problem else ():
        try:
            score, cost = _score(metric, sample, run, item, ask)
        except ModelFailed as error:
            judged.problem = str(error)
            cost, score = error.cost, None
        costs.append(cost)
        judged.spent += cost or 0.0
        if score is not None:
            judged.scores[metric.name] = score
    judged.cost = None if None in costs else judged.spent
    if not judged.problem:
        judged.main = metrics.main_score(found, judged.scores)
    return judged


def _store(run: EvaluationRun, judged: _Judged) -> None:
    result = judged.result
    rows = [(name, score.value, score.details) for name, score in judged.scores.items()]
    if judged.main is not None:
        rows.append(("", judged.main, {}))
    with transaction.atomic():
        RunOutput.objects.create(
            run=run, item=result.item, output=result.output, problem=judged.problem,
            latency_ms=result.latency_ms, cost=result.cost, tokens_in=result.tokens_in,
            tokens_out=result.tokens_out,
        )  # fmt: skip
        Evaluation.objects.bulk_create(
            Evaluation(
                prompt_id=run.prompt_id, version_id=run.version_id, run=run, item=result.item, name=name,
                score=value, metrics=details,
            )
            for name, value, details in rows
        )  # fmt: skip
        EvaluationRun.objects.filter(pk=run.pk).update(cost=F("cost") + judged.spent)


def _score(
    metric: Metric, sample: Sample, run: EvaluationRun, item: DatasetItem, ask: Ask
) -> tuple[Score | None, float | None]:
    """The score, and what it cost, None where the service does not say."""
    if not metric.needs_model:
        return metric.score(sample), 0.0
    request = json.dumps(item.variables, ensure_ascii=False)
    score, answer = judge.judge(metric, sample, request, ask=ask)
    return score, answer.cost


def _has_judge(run: EvaluationRun) -> bool:
    return any(metric.needs_model for metric in metrics.parse(run.metrics))


def _conclude(run: EvaluationRun) -> bool:
    """With every item tried. One that gave nothing at all has failed."""
    count = run.outputs.exclude(problem="").count()
    problem = f"{count:,} of {run.total:,} items failed." if count else ""
    return _finish(run, RunStatus.FAILED if count and count >= run.total else RunStatus.DONE, problem)


def _check_judges(found: Sequence[Metric]) -> None:
    """Before the first item is paid for."""
    for at, metric in enumerate(found):
        if metric.needs_model and not (metric.options.get("model") or settings.AFN_LLM_MODEL):
            raise RegistryProblem(
                f"metrics[{at}].model",
                "the name of a model",
                "none",
                "AFN_LLM_MODEL sets one for all judges.",
            )


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

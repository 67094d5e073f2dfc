"""Runs of versions over datasets, and how versions compare on the same items."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from ninja.responses import Status as Answer

from vectors.api_parts import locate
from vectors.permissions import needs
from vectors.schemas import Paging

from .. import histories_of_scores
from ..errors import NotThere
from ..evaluating import runs
from ..models import Dataset, Evaluation, EvaluationRun, RunOutput
from ..tasks import run_later
from . import comparison_schemas
from . import run_schemas as schemas
from .lookup import Ref, actor, find_prompt, find_version, page
from .values import Id

router = Router(tags=["evaluations"])
_RUN = "/runs/{id}"


@router.get("/runs", response={200: schemas.EvaluationRunPage})
def list_runs(request: HttpRequest, filters: Query[schemas.RunFilters]) -> dict[str, Any]:
    """Runs, the last begun first."""
    rows = _runs()
    if filters.prompt is not None:
        rows = rows.filter(prompt=find_prompt(filters.prompt).pk)
    if filters.dataset is not None:
        rows = rows.filter(dataset__name=filters.dataset)
    if filters.status is not None:
        rows = rows.filter(status=filters.status)
    return page(rows, filters)


@router.post("/runs", response={201: schemas.EvaluationRunOut})
@needs("prompts.add_evaluationrun")
def create_run(request: HttpRequest, payload: schemas.RunIn, response: HttpResponse) -> Answer[EvaluationRun]:
    """Try a version on a dataset. With a `model` a worker asks it for every item; without one you send in the
    results. The metrics judge them, and each item's scores are evaluations of the version.
    """
    with transaction.atomic():
        prompt = find_prompt(payload.prompt)
        version = find_version(prompt, payload.version or prompt.version)
        dataset = Dataset.objects.filter(name=payload.dataset).first()
        if dataset is None:
            raise NotThere("dataset", "the name of a dataset", repr(payload.dataset[:128]))
        run = runs.create_run(
            prompt,
            version,
            dataset,
            payload.metrics,
            user=actor(request),
            model=payload.model,
            parameters=payload.parameters,
            budget=payload.budget,
            name=payload.name,
        )
        if run.model:
            transaction.on_commit(lambda: run_later(run.pk), robust=True)
    locate(request, response, run.pk)
    return Answer(201, _run(run.pk))


@router.get(_RUN, response={200: schemas.EvaluationRunOut})
def get_run(request: HttpRequest, id: Path[Id]) -> EvaluationRun:
    """One run, with how far it has come."""
    return _run(id)


@router.post(_RUN + "/cancel", response={200: schemas.EvaluationRunOut})
@needs("prompts.change_evaluationrun")
def cancel_run(request: HttpRequest, id: Path[Id]) -> EvaluationRun:
    """Stop it after the item that is being worked on; what is done is kept."""
    runs.cancel(_run(id))
    return _run(id)


@router.get(_RUN + "/results", response={200: schemas.ResultPage})
def list_results(request: HttpRequest, id: Path[Id], paging: Query[Paging]) -> dict[str, Any]:
    """What came out for each item, with its scores."""
    found = page(RunOutput.objects.filter(run=_run(id)).order_by("item"), paging)
    items = [output.item for output in found["items"]]
    scores: dict[str, dict[str, float]] = {}
    for item, name, score in Evaluation.objects.filter(run=id, item__in=items).values_list(
        "item", "name", "score"
    ):
        scores.setdefault(item, {})[name] = score
    for output in found["items"]:
        output.scores = scores.get(output.item, {})
    return found


@router.post(_RUN + "/results", response={200: schemas.AddedOut})
@needs("prompts.change_evaluationrun")
def add_results(request: HttpRequest, id: Path[Id], payload: schemas.ResultsIn) -> dict[str, Any]:
    """Send in results of a run without a model, up to 1,000 at a time; those of before are left alone."""
    results = [runs.Result(**one.model_dump()) for one in payload.results]
    added = runs.add_results(_run(id), results)
    return {"added": added, "status": _run(id).status}


@router.get(
    "/prompts/{path:ref}/comparison",
    response={200: comparison_schemas.ComparisonOut},
    by_alias=True,
)
def compare_versions(
    request: HttpRequest, ref: Path[Ref], query: Query[comparison_schemas.ComparisonQuery]
) -> dict[str, Any]:
    """Two versions on the items that both were evaluated on: a paired test, and what differs most."""
    prompt = find_prompt(ref)
    old, new = find_version(prompt, query.from_), find_version(prompt, query.to)
    return histories_of_scores.compare(old, new, name=query.name, confidence=query.confidence)


@router.get("/prompts/{path:ref}/scores", response={200: comparison_schemas.ScoresOut})
def list_scores(
    request: HttpRequest, ref: Path[Ref], query: Query[comparison_schemas.ScoresQuery]
) -> dict[str, Any]:
    """How each version did: its number of evaluations, and the mean score with its 95 % interval."""
    return {"items": histories_of_scores.by_version(find_prompt(ref), name=query.name)}


def _runs() -> Any:
    return (
        EvaluationRun.objects.with_progress()
        .select_related("prompt", "version", "dataset")
        .defer("version__content", "prompt__content")
    )


def _run(key: str) -> EvaluationRun:
    run: EvaluationRun | None = _runs().filter(pk=key).first()
    if run is None:
        raise NotThere("id", "the id of a run", repr(key[:64]))
    return run

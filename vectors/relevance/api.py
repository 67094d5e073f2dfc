"""REST over judgements and runs. Auth is the business of whoever adds the router, as in `vectors.api`."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from ninja import Path, Query, Router
from ninja.responses import Status

from vectors import store
from vectors.api_values import CollectionName
from vectors.errors import CollectionNotFound, shown
from vectors.permissions import needs
from vectors.relevance import schemas
from vectors.relevance.judging import judge
from vectors.relevance.models import EvaluationRun, Judgement, hash_query
from vectors.schemas import Paging

_Row = TypeVar("_Row", bound=Model)

router = Router(tags=["relevance"])


@router.get("/collections/{name}/judgements", response={200: schemas.JudgementPage})
def list_judgements(
    request: HttpRequest, name: Path[CollectionName], wanted: Query[schemas.JudgementFilter]
) -> dict[str, Any]:
    """Which items answer which queries, the newest first."""
    exact = wanted.model_dump(include={"key", "source", "language"}, exclude_none=True)
    if wanted.query is not None:
        exact["query_hash"] = hash_query(wanted.query.strip())
    rows = Judgement.objects.filter(collection=store.get_collection(name), **exact)
    return _page(rows, wanted)


@router.put("/collections/{name}/judgements", response={200: schemas.JudgementOut})
@needs("vectors.change_judgement")
def put_judgement(
    request: HttpRequest, name: Path[CollectionName], payload: schemas.JudgementIn
) -> Judgement:
    """Judge how well an item answers a query; the same query and key get the new grade."""
    return judge(store.get_collection(name), **payload.model_dump(), by=_caller(request))


@router.delete("/collections/{name}/judgements/{id}", response={204: None})
@needs("vectors.delete_judgement")
def delete_judgement(
    request: HttpRequest, name: Path[CollectionName], id: Path[schemas.JudgementId]
) -> Status[None]:
    """Take a judgement back."""
    deleted, _ = Judgement.objects.filter(collection=store.get_collection(name), pk=id).delete()
    if not deleted:
        raise CollectionNotFound("judgement", f"the id of a judgement in {shown(name)}", shown(id))
    return Status(204, None)


@router.get("/collections/{name}/runs", summary="List Search Runs", response={200: schemas.RunPage})
def list_runs(
    request: HttpRequest, name: Path[CollectionName], wanted: Query[schemas.RunFilter]
) -> dict[str, Any]:
    """What the collection's search was measured at, the last first. `manage.py evaluate_search` measures."""
    exact = wanted.model_dump(include={"mode", "source"}, exclude_none=True)
    return _page(
        EvaluationRun.objects.filter(collection=store.get_collection(name), **exact).defer("scores"), wanted
    )


def _page(rows: QuerySet[_Row], paging: Paging) -> dict[str, Any]:
    page = rows[paging.offset : paging.offset + paging.limit]
    return {"items": list(page), "total": rows.count(), "limit": paging.limit, "offset": paging.offset}


def _caller(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    return str(user.get_username()) if user else ""

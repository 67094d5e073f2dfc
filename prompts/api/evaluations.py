"""Evaluations of a prompt's versions."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from ninja import Path, Query, Router
from ninja.responses import Status as Answer

from vectors.permissions import needs

from ..models import Evaluation
from . import evaluation_schemas
from .lookup import Ref, find_prompt, page

router = Router(tags=["evaluations"])


@router.get("/prompts/{path:ref}/evaluations", response={200: evaluation_schemas.EvaluationPage})
def list_evaluations(
    request: HttpRequest, ref: Path[Ref], filters: Query[evaluation_schemas.EvaluationFilters]
) -> dict[str, Any]:
    """Scores and metrics, the newest first."""
    rows = Evaluation.objects.filter(prompt=find_prompt(ref).pk).select_related("version")
    if filters.version is not None:
        rows = rows.filter(version__version=filters.version)
    if filters.name is not None:
        rows = rows.filter(name=filters.name)
    return page(rows.defer("version__content"), filters)


@router.post("/prompts/{path:ref}/evaluations", response={201: evaluation_schemas.EvaluationOut})
@needs("prompts.add_evaluation")
def create_evaluation(
    request: HttpRequest, ref: Path[Ref], payload: evaluation_schemas.EvaluationIn
) -> Answer[Evaluation]:
    """Record how good a version was; the current one where none is named."""
    with transaction.atomic():
        prompt = find_prompt(ref)
        number = prompt.version if payload.version is None else payload.version
        version = prompt.versions.kept().filter(version=number).first()
        if version is None and payload.version is not None:
            raise ValidationError(
                {"version": f"Expected a version from 1 to {prompt.version}, got {number}."}
            )
        values = payload.model_dump(exclude={"version"})
        evaluation = Evaluation(prompt=prompt, version=version, **values)
        evaluation.full_clean()
        evaluation.save()
    evaluation.refresh_from_db(fields=["created_at"])
    return Answer(201, evaluation)

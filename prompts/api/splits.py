"""Split labels: several versions by weights, and the test of which is better."""

from typing import Any

from django.http import HttpRequest
from ninja import Path, Router
from ninja.responses import Status as Answer

from vectors.permissions import needs

from .. import splits
from ..errors import NotThere
from ..models import LabelSplit
from . import split_schemas as schemas
from .lookup import Ref, actor, find_own_prompt, find_prompt
from .values import LabelText

router = Router(tags=["labels"])
_SPLIT = "/prompts/{path:ref}/labels/{label}/split"


@router.get(_SPLIT, response={200: schemas.SplitOut})
def get_split(request: HttpRequest, ref: Path[Ref], label: Path[LabelText]) -> dict[str, Any]:
    """The running split of a label, or the last one: counts of each arm, and whether to stop."""
    found = LabelSplit.objects.filter(prompt=find_prompt(ref).pk, label=label).order_by(
        "ended_at", "-created_at"
    )
    split = found.filter(ended_at=None).first() or found.order_by("-ended_at").first()
    if split is None:
        raise NotThere("label", "a label that has or had a split", repr(label[:36]))
    return splits.report(split)


@router.post(_SPLIT, response={201: schemas.SplitOut})
@needs("prompts.change_promptlabel")
def start_split(
    request: HttpRequest, ref: Path[Ref], label: Path[LabelText], payload: schemas.SplitIn
) -> Answer[dict[str, Any]]:
    """Have a label serve several versions, sticky by the `subject` that a request names."""
    split = splits.start_split(
        find_own_prompt(request, ref),
        label,
        [arm.model_dump() for arm in payload.arms],
        actor=actor(request),
        alpha=payload.alpha,
        reason=payload.reason,
    )
    return Answer(201, splits.report(split))


@router.delete(_SPLIT, response={200: schemas.SplitOut})
@needs("prompts.change_promptlabel")
def end_split(request: HttpRequest, ref: Path[Ref], label: Path[LabelText]) -> dict[str, Any]:
    """End it: the label serves the control alone again. To promote another arm, move the label then."""
    split = splits.end_split(find_own_prompt(request, ref), label, actor=actor(request))
    return splits.report(split)


@router.post("/prompts/{path:ref}/labels/{label}/outcomes", response={200: schemas.OutcomeOut})
@needs("prompts.add_splitsubject")
def record_outcome(
    request: HttpRequest, ref: Path[Ref], label: Path[LabelText], payload: schemas.OutcomeIn
) -> dict[str, Any]:
    """What came of a subject that was served by the split. The first outcome counts."""
    found = splits.record_outcome(find_prompt(ref), label, payload.subject, payload.value)
    return {"version": found.split.arms[found.arm]["version"], "outcome": found.outcome}

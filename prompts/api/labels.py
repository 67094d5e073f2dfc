"""Labels of a prompt, and the log of their moves."""

from typing import Any

from django.http import HttpRequest
from ninja import Path, Query, Router

from vectors.permissions import needs

from .. import labels as moving
from ..gates import weigh
from ..models import LabelMove
from . import label_schemas as schemas
from .lookup import Ref, actor, find_own_prompt, find_prompt, find_version, page
from .values import LabelText

router = Router(tags=["labels"])
_LABEL = "/prompts/{path:ref}/labels/{label}"


@router.get("/prompts/{path:ref}/labels", response={200: schemas.LabelsOut})
def list_labels(request: HttpRequest, ref: Path[Ref]) -> dict[str, Any]:
    """Which version each label serves; `latest` is always the newest."""
    return {"labels": moving.labels_of(find_prompt(ref))}


@router.put(_LABEL, response={200: schemas.MovedOut})
@needs("prompts.change_promptlabel")
def move_label(
    request: HttpRequest, ref: Path[Ref], label: Path[LabelText], payload: schemas.MoveIn
) -> dict[str, Any]:
    """Have a label serve a version. Where its policy asks for evidence and there is not enough, the answer is
    409 with the figures, and nothing is moved.
    """
    moved = moving.move_label(
        find_own_prompt(request, ref), label, payload.version, actor=actor(request), reason=payload.reason
    )
    return _answer(label, moved)


@router.delete(_LABEL, response={200: schemas.MovedOut})
@needs("prompts.change_promptlabel")
def remove_label(
    request: HttpRequest, ref: Path[Ref], label: Path[LabelText], query: Query[schemas.ReasonQuery]
) -> dict[str, Any]:
    """Take a label off."""
    prompt = find_own_prompt(request, ref)
    moved = moving.remove_label(prompt, label, actor=actor(request), reason=query.reason)
    return _answer(label, moved)


@router.post(_LABEL + "/undo", response={200: schemas.MovedOut})
@needs("prompts.change_promptlabel")
def undo_move(
    request: HttpRequest,
    ref: Path[Ref],
    label: Path[LabelText],
    payload: schemas.UndoIn = schemas.UndoIn(),
) -> dict[str, Any]:
    """Take back the label's last move that is not taken back yet. No evidence is asked for."""
    prompt = find_own_prompt(request, ref)
    moved = moving.undo(prompt, label, actor=actor(request), reason=payload.reason)
    return _answer(label, moved)


@router.get(_LABEL + "/evidence", response={200: schemas.EvidenceOut})
def get_evidence(
    request: HttpRequest, ref: Path[Ref], label: Path[LabelText], query: Query[schemas.EvidenceQuery]
) -> Any:
    """Whether the label might move to a version, and on what figures. Nothing is moved."""
    moving.check_label(label)
    prompt = find_prompt(ref)
    return weigh(prompt, label, find_version(prompt, query.version))


@router.get("/prompts/{path:ref}/moves", response={200: schemas.MovePage})
def list_moves(request: HttpRequest, ref: Path[Ref], query: Query[schemas.MoveFilters]) -> dict[str, Any]:
    """The log of the labels: who moved which, when, from where to where, and why; the last first."""
    rows = LabelMove.objects.filter(prompt=find_prompt(ref).pk)
    if query.label:
        rows = rows.filter(label=query.label)
    return page(rows.order_by("-id"), query)


def _answer(label: str, moved: moving.Moved) -> dict[str, Any]:
    return {
        "label": label,
        "moved": moved.move is not None,
        "version": moved.version,
        "from_version": moved.move.from_version if moved.move else moved.version,
        "evidence": moved.evidence,
    }

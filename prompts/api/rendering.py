"""Filling in a prompt."""

from typing import Any

from django.http import HttpRequest
from ninja import Path, Router

from vectors.permissions import READING, needs

from ..rendering.template import render
from ..serving import reading
from . import schemas
from .lookup import Ref

router = Router(tags=["prompts"])


@router.post("/prompts/{path:ref}/render", response={200: schemas.RenderOut})
@needs(READING)
def render_prompt(request: HttpRequest, ref: Path[Ref], payload: schemas.RenderIn) -> dict[str, Any]:
    """The prompt with values in place of its variables. A missing or unknown one is an error, as is a value
    of another type; with `allow_partial` what is missing stays as it was written, and is listed.
    """
    served = reading.read(
        ref, version=payload.version, label=payload.label or "", at=payload.at, subject=payload.subject
    )
    template = served.compose().template
    rendered = render(template, payload.variables, payload.placeholders, allow_partial=payload.allow_partial)
    return {
        "id": served.id,
        "name": served.name,
        "version": served.version,
        "labels": served.own_labels,
        "type": served.type,
        "content": rendered.messages if served.type == "chat" else rendered.text,
        "config": served.config,
        "missing": rendered.missing,
    }

"""The trash: what was deleted, and bringing it back."""

from typing import Any

from django.http import HttpRequest
from ninja import Path, Query, Router
from ninja.responses import Status as Answer

from vectors.permissions import needs
from vectors.schemas import Paging

from .. import trash
from ..errors import NotThere
from ..models import Prompt, PromptVersion
from ..ownership import check_owner
from . import schemas, trash_schemas, values
from .lookup import Ref, actor, find_own_prompt, page

router = Router(tags=["trash"])


@router.get("/trash", response={200: trash_schemas.TrashPage})
def list_trash(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Prompts in the trash, the last deleted first. Versions of prompts that are kept: `/trash/versions`."""
    rows = Prompt.everything.exclude(deleted_at=None).select_related("user").order_by("-deleted_at", "pk")
    return page(rows.defer("content", "config", "variables"), paging)


@router.get("/trash/versions", response={200: trash_schemas.TrashedVersionPage})
def list_trashed_versions(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Single versions in the trash, the last deleted first."""
    rows = PromptVersion.objects.filter(deleted_at__isnull=False, prompt__deleted_at=None)
    rows = rows.select_related("prompt").only("version", "message", "deleted_at", "prompt__name")
    return page(rows.order_by("-deleted_at", "pk"), paging)


@router.post("/trash/{id}/restore", response={200: schemas.PromptSummary})
@needs("prompts.delete_prompt")
def restore_prompt(
    request: HttpRequest,
    id: Path[values.Id],
    payload: trash_schemas.RestorePromptIn = trash_schemas.RestorePromptIn(),
) -> Any:
    """Bring a prompt back, under another `name` where its own has been given away. Its labels stay off."""
    prompt = Prompt.everything.exclude(deleted_at=None).select_related("user").filter(pk=id).first()
    if prompt is None:
        raise NotThere("id", "the id of a prompt in the trash", repr(id[:64]))
    check_owner(actor(request), prompt)
    trash.restore_prompt(prompt, actor=actor(request), name=payload.name)
    return Prompt.objects.select_related("user").get(pk=id)


@router.post("/prompts/{path:ref}/trash/{version}/restore", response={204: None})
@needs("prompts.delete_promptversion")
def restore_version(
    request: HttpRequest, ref: Path[Ref], version: Path[values.VersionNumber]
) -> Answer[None]:
    """Bring a single version back, under its old number."""
    trash.restore_version(find_own_prompt(request, ref), version, actor=actor(request))
    return Answer(204, None)

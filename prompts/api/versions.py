"""Versions of a prompt."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from ninja.responses import Status as Answer

from vectors.api_parts import locate
from vectors.permissions import needs
from vectors.schemas import Paging

from ..errors import Refused
from ..models import PromptVersion
from ..saving import restore_content, save_prompt
from ..trash import delete_version
from . import values, version_schemas
from .lookup import Ref, actor, check_labels, find_own_prompt, find_prompt, find_version, page

router = Router(tags=["prompts"])
_VERSIONS = "/prompts/{path:ref}/versions"


@router.get(_VERSIONS, response={200: version_schemas.VersionPage})
def list_versions(request: HttpRequest, ref: Path[Ref], paging: Query[Paging]) -> dict[str, Any]:
    """All versions without their content, the newest first."""
    prompt = find_prompt(ref)
    rows = PromptVersion.objects.kept().filter(prompt=prompt.pk).select_related("author", "parent")
    rows = rows.defer("content", "config", "variables", "parent__content").prefetch_related("labels")
    found = page(rows, paging)
    for version in found["items"]:
        version.prompt = prompt
    return found


@router.post(_VERSIONS, response={200: version_schemas.VersionOut, 201: version_schemas.VersionOut})
@needs("prompts.change_prompt")
def create_version(
    request: HttpRequest, ref: Path[Ref], payload: version_schemas.VersionIn, response: HttpResponse
) -> Answer[Any]:
    """Add a version. What is left out is as in the newest one. Identical to it, none is made: then the answer
    is the newest one with 200, or 409 with `if_identical: "refuse"`.
    """
    check_labels(request, payload.labels)
    with transaction.atomic():
        prompt = find_own_prompt(request, ref)
        payload.check_type(prompt)
        for field, value in payload.changes().items():
            setattr(prompt, field, value)
        saved = save_prompt(
            prompt,
            author=actor(request),
            message=payload.message,
            labels=payload.labels,
            base_version=payload.base_version,
        )
        if not saved.is_new and payload.if_identical == "refuse":
            raise Refused("content", "a version that differs from the newest", f"the same as {saved.version}")
        version = find_version(prompt, saved.version)
    version.prompt = prompt
    if saved.is_new:
        locate(request, response, version.version)
    return Answer(201 if saved.is_new else 200, version)


@router.get(_VERSIONS + "/{version}", response={200: version_schemas.VersionOut})
def get_version(request: HttpRequest, ref: Path[Ref], version: Path[values.VersionNumber]) -> PromptVersion:
    """One version as it was written, references and all."""
    prompt = find_prompt(ref)
    found = find_version(prompt, version)
    found.prompt = prompt
    return found


@router.delete(_VERSIONS + "/{version}", summary="Delete Version", response={204: None})
@needs("prompts.delete_promptversion")
def delete(request: HttpRequest, ref: Path[Ref], version: Path[values.VersionNumber]) -> Answer[None]:
    """Into the trash; its labels come off. The last version takes the prompt with it."""
    delete_version(find_own_prompt(request, ref), version, actor=actor(request))
    return Answer(204, None)


@router.post(
    _VERSIONS + "/{version}/restore",
    summary="Repeat Version",
    response={200: version_schemas.VersionOut, 201: version_schemas.VersionOut},
)
@needs("prompts.change_prompt")
def restore(
    request: HttpRequest,
    ref: Path[Ref],
    version: Path[values.VersionNumber],
    payload: version_schemas.RestoreIn = version_schemas.RestoreIn(),
) -> Answer[Any]:
    """A new version with what an old one held."""
    with transaction.atomic():
        prompt = find_own_prompt(request, ref)
        saved = restore_content(prompt, version, author=actor(request), message=payload.message)
        made = find_version(prompt, saved.version)
    made.prompt = prompt
    return Answer(201 if saved.is_new else 200, made)

"""Prompts: list, create, read, change, archive, delete."""

from collections.abc import Callable
from typing import Any, Final

from django.db import router as databases
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from ninja.responses import Status as Answer
from pydantic_core import to_json

from vectors.api_parts import locate, refuse_unknown
from vectors.permissions import needs

from ..models import Prompt, Status
from ..ownership import find_owner
from ..saving import save_prompt, set_status
from ..serving import reading
from ..serving.bundles import bundle
from ..serving.responses import serve
from ..three_way import is_same
from ..trash import delete_prompt
from . import schemas
from .lookup import Ref, actor, check_labels, find_own_prompt, find_prompt, page

# Who asks for `lable=production` shall not be served the newest version.
_WHICH: Final = tuple(schemas.Which.model_fields)
router = Router(tags=["prompts"])
by_name = Router(tags=["prompts"])  # its path goes on as others do, so it is matched before them


@router.get("/prompts", response={200: schemas.PromptPage})
def list_prompts(request: HttpRequest, filters: Query[schemas.PromptFilters]) -> dict[str, Any]:
    """Prompts without their content, the last changed first."""
    refuse_unknown(request, tuple(schemas.PromptFilters.model_fields))
    rows = Prompt.objects.all()
    if filters.status:
        rows = rows.filter(status=filters.status)
    if filters.type:
        rows = rows.filter(type=filters.type)
    if filters.language is not None:
        rows = rows.filter(language=filters.language)
    if filters.tag is not None:
        rows = rows.tagged(filters.tag)
    if filters.label is not None:
        rows = rows.labelled(filters.label)
    if filters.folder:
        rows = rows.in_folder(filters.folder)
    if filters.prefix:
        rows = rows.filter(name__startswith=filters.prefix)
    found = rows.select_related("user").prefetch_related("labels__version")
    return page(found.defer("content", "config", "variables"), filters)


@router.post("/prompts", response={201: schemas.PromptOut})
@needs("prompts.add_prompt")
def create_prompt(request: HttpRequest, payload: schemas.PromptIn, response: HttpResponse) -> Answer[Any]:
    """Create a prompt; its first version is 1. It belongs to the user of the key or session."""
    check_labels(request, payload.labels)
    prompt = Prompt(user=actor(request), **payload.values())
    save_prompt(prompt, author=actor(request), message=payload.message, labels=payload.labels)
    locate(request, response, prompt.pk)
    return Answer(201, _read(prompt.pk))


@by_name.get("/prompts/by-name/{path:name}", response={200: schemas.PromptOut})
def get_prompt_by_name(request: HttpRequest, name: Path[Ref], query: Query[schemas.Which]) -> Any:
    """The same as `/prompts/{ref}`, for a name that looks like an id, or ends as other paths do."""
    refuse_unknown(request, _WHICH)
    return _serve(request, lambda: _read(find_prompt_named(name), query))


@router.post("/prompts/{path:ref}/archive", response={200: schemas.PromptOut})
@needs("prompts.change_prompt")
def archive_prompt(request: HttpRequest, ref: Path[Ref]) -> Any:
    """Take a prompt out of use and keep its history. PATCH another status to bring it back."""
    with transaction.atomic():
        prompt = find_own_prompt(request, ref)
        set_status(prompt, Status.ARCHIVED, author=actor(request))
    return _read(prompt.pk)


@router.get("/prompts/{path:ref}", response={200: schemas.PromptOut})
def get_prompt(request: HttpRequest, ref: Path[Ref], query: Query[schemas.Which]) -> Any:
    """One prompt: its newest version, or the one of a number, of a label, or that a label served at a time.

    What it includes is in its place; with `resolve=false` the references stand as they were written.
    """
    refuse_unknown(request, _WHICH)
    return _serve(request, lambda: _read(ref, query))


@router.get("/bundle", response={200: schemas.BundleOut})
def get_bundle(request: HttpRequest, query: Query[schemas.BundleQuery]) -> Any:
    """All prompts that a label serves, each as `/prompts/{ref}` gives it. With an API key, the header
    `X-AFN-Signature` has their HMAC-SHA256, by which a copy in a file can be checked.
    """
    refuse_unknown(request, tuple(schemas.BundleQuery.model_fields))
    return _serve(request, lambda: bundle(query.label, folder=query.folder, tag=query.tag), is_signed=True)


@router.patch("/prompts/{path:ref}", response={200: schemas.PromptOut})
@needs("prompts.change_prompt")
def update_prompt(request: HttpRequest, ref: Path[Ref], payload: schemas.PromptPatch) -> Any:
    """Change the members given. New content, config or variables make a new version; identical ones none.
    Who hands a prompt over to another `owner` can change it no more, unless they may change those of others.
    """
    check_labels(request, payload.labels)
    changes = payload.changes()
    # One transaction, so that nobody's change gets lost between reading and writing.
    with transaction.atomic():
        prompt = find_own_prompt(request, ref)
        payload.check_type(prompt)
        if "owner" in payload.model_fields_set:
            changes["user_id"] = find_owner(payload.owner).pk
        if not payload.labels and all(is_same(getattr(prompt, name), to) for name, to in changes.items()):
            return _read(prompt.pk)
        for field, value in changes.items():
            setattr(prompt, field, value)
        save_prompt(
            prompt,
            author=actor(request),
            message=payload.message,
            labels=payload.labels,
            base_version=payload.base_version,
        )
    return _read(prompt.pk)


@router.delete("/prompts/{path:ref}", summary="Delete Prompt", response={204: None})
@needs("prompts.delete_prompt")
def delete(request: HttpRequest, ref: Path[Ref]) -> Answer[None]:
    """Into the trash, from which it can be restored. Refused where other prompts include it."""
    with transaction.atomic():
        delete_prompt(find_own_prompt(request, ref), actor=actor(request))
    return Answer(204, None)


def find_prompt_named(name: str) -> str:
    prompts = Prompt.objects.using(databases.db_for_write(Prompt))  # what is kept is never of a replica
    prompt = prompts.filter(name=name).only("pk").first()
    return find_prompt(name).pk if prompt is None else prompt.pk


def _serve(request: HttpRequest, produce: Callable[[], Any], *, is_signed: bool = False) -> HttpResponse:
    return serve(request, lambda: to_json(produce()), is_signed=is_signed)


def _read(ref: str, query: schemas.Which | None = None) -> dict[str, Any]:
    if query is None:
        served = reading.read(ref)
        return reading.as_json(served, served.compose())
    served = reading.read(
        ref, version=query.version, label=query.label or "", at=query.at, subject=query.subject
    )
    return reading.as_json(served, served.compose() if query.resolve else served.alone())

"""REST over prompts, their versions and evaluations, and search."""

from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from ninja import Path, Query, Router
from ninja.responses import Status as Answer

from vectors.permissions import needs
from vectors.schemas import ERRORS, ErrorOut, Paging, Text

from . import schemas
from .diffs import compare
from .models import Evaluation, Prompt, PromptVersion, Status, User
from .search import search_prompts
from .unified_diff import count_changes, unified

router = Router(tags=["prompts"])


@router.get("/prompts", response={200: schemas.PromptPage, ERRORS: ErrorOut})
def list_prompts(request: HttpRequest, filters: Query[schemas.PromptFilters]) -> dict[str, Any]:
    """Prompts without their content, the last changed first."""
    rows = Prompt.objects.all()
    if filters.status:
        rows = rows.filter(status=filters.status)
    if filters.language is not None:
        rows = rows.filter(language=filters.language)
    if filters.tag is not None:
        rows = rows.tagged(filters.tag)
    if filters.folder:
        rows = rows.in_folder(filters.folder)
    if filters.prefix:
        rows = rows.filter(name__startswith=filters.prefix)
    return _page(rows.select_related("user").defer("content"), filters)


@router.post("/prompts", response={201: schemas.PromptOut, ERRORS: ErrorOut})
@needs("prompts.add_prompt")
def create_prompt(request: HttpRequest, payload: schemas.PromptIn) -> Answer[Prompt]:
    """Create a prompt; its first version is 1. It belongs to the user of the key or session."""
    author = cast(User, request.user)  # only known users get past the permission
    prompt = Prompt(user=author, **payload.model_dump(exclude={"message"}))
    prompt.full_clean()
    prompt.save(message=payload.message)
    return Answer(201, _prompt(pk=prompt.pk))


@router.get("/prompts/by-name/{path:name}", response={200: schemas.PromptOut, ERRORS: ErrorOut})
def get_prompt_by_name(request: HttpRequest, name: Path[Text]) -> Prompt:
    """One prompt by its name, folders included: `/prompts/by-name/writing/resume-rewriter`."""
    return _prompt(name=name)


@router.get("/prompts/{id}", response={200: schemas.PromptOut, ERRORS: ErrorOut})
def get_prompt(request: HttpRequest, id: Path[Text]) -> Prompt:
    """One prompt as it is now."""
    return _prompt(pk=id)


@router.patch("/prompts/{id}", response={200: schemas.PromptOut, ERRORS: ErrorOut})
@needs("prompts.change_prompt")
def update_prompt(request: HttpRequest, id: Path[Text], payload: schemas.PromptPatch) -> Prompt:
    """Change the members given. New content makes a new version; identical content makes none."""
    changes = payload.model_dump(exclude_unset=True, exclude={"message"})
    # One transaction, so that nobody's change gets lost between reading and writing.
    with transaction.atomic():
        prompt = _prompt(pk=id)
        if all(getattr(prompt, field) == value for field, value in changes.items()):
            return prompt
        for field, value in changes.items():
            setattr(prompt, field, value)
        prompt.full_clean()
        prompt.save(author=request.user, message=payload.message)
    return prompt


@router.post("/prompts/{id}/archive", response={200: schemas.PromptOut, ERRORS: ErrorOut})
@needs("prompts.change_prompt")
def archive_prompt(request: HttpRequest, id: Path[Text]) -> Prompt:
    """Take a prompt out of use and keep its history. PATCH another status to bring it back.

    The API deletes no prompts: versions and evaluations are evidence. Deleting is left to the console.
    """
    with transaction.atomic():
        prompt = _prompt(pk=id)
        prompt.status = Status.ARCHIVED
        prompt.save(author=request.user)
    return prompt


@router.get("/prompts/{id}/versions", response={200: schemas.VersionPage, ERRORS: ErrorOut})
def list_versions(request: HttpRequest, id: Path[Text], paging: Query[Paging]) -> dict[str, Any]:
    """All versions without their content, the newest first."""
    rows = _of_prompt(PromptVersion.objects.select_related("author", "parent"), id)
    return _page(rows.defer("content", "parent__content"), paging)


@router.get("/prompts/{id}/versions/{version}", response={200: schemas.VersionOut, ERRORS: ErrorOut})
def get_version(request: HttpRequest, id: Path[Text], version: Path[schemas.VersionNumber]) -> PromptVersion:
    """One version with its content."""
    return _version(id, version)


@router.get("/prompts/{id}/diff", response={200: schemas.DiffOut, ERRORS: ErrorOut}, by_alias=True)
def diff_versions(request: HttpRequest, id: Path[Text], query: Query[schemas.DiffQuery]) -> dict[str, Any]:
    """What changed between two versions, as a unified diff."""
    old, new = query.from_, query.to
    found = compare(_version(id, old).content, _version(id, new).content)
    added, removed = count_changes(found.rows)
    return {
        "from": old,
        "to": new,
        "added": added,
        "removed": removed,
        "complete": found.is_complete,
        "unified": unified(found.rows, f"v{old}", f"v{new}"),
    }


@router.get("/prompts/{id}/evaluations", response={200: schemas.EvaluationPage, ERRORS: ErrorOut})
def list_evaluations(request: HttpRequest, id: Path[Text], paging: Query[Paging]) -> dict[str, Any]:
    """Scores and metrics, the newest first."""
    rows = _of_prompt(Evaluation.objects.select_related("version"), id)
    return _page(rows.defer("version__content"), paging)


@router.post("/prompts/{id}/evaluations", response={201: schemas.EvaluationOut, ERRORS: ErrorOut})
@needs("prompts.add_evaluation")
def create_evaluation(
    request: HttpRequest, id: Path[Text], payload: schemas.EvaluationIn
) -> Answer[Evaluation]:
    """Record how good a version was; the current one where none is named."""
    prompt = _prompt(pk=id)
    number = prompt.version if payload.version is None else payload.version
    version = prompt.versions.filter(version=number).first()
    if version is None and payload.version is not None:
        raise ValidationError({"version": f"Expected a version from 1 to {prompt.version}, got {number}."})
    evaluation = Evaluation(prompt=prompt, version=version, score=payload.score, metrics=payload.metrics)
    evaluation.full_clean()
    evaluation.save()
    evaluation.refresh_from_db(fields=["created_at"])
    return Answer(201, evaluation)


@router.get("/search", response={200: schemas.PromptSearchOut, ERRORS: ErrorOut}, tags=["search"])
def search(request: HttpRequest, query: Query[schemas.PromptSearchQuery]) -> dict[str, Any]:
    """Find prompts by meaning and by words, in English and in Japanese."""
    return search_prompts(
        query.q,
        k=query.k,
        mode=query.mode,
        status=query.status,
        tag=query.tag,
        language=query.language,
        folder=query.folder,
    ).as_json()


def _prompt(**key: str) -> Prompt:
    return Prompt.objects.select_related("user").get(**key)


def _version(prompt_id: str, number: int) -> PromptVersion:
    return PromptVersion.objects.select_related("author", "parent").get(prompt=prompt_id, version=number)


def _of_prompt(rows: QuerySet[Any], prompt_id: str) -> QuerySet[Any]:
    """The rows of that prompt; a prompt that does not exist is an error, not an empty list."""
    if not Prompt.objects.filter(pk=prompt_id).exists():
        raise Http404
    return rows.filter(prompt=prompt_id)


def _page(rows: QuerySet[Any], paging: Paging) -> dict[str, Any]:
    page = rows[paging.offset : paging.offset + paging.limit]
    return {"items": list(page), "total": rows.count(), "limit": paging.limit, "offset": paging.offset}

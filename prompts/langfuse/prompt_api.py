"""Prompts: get, create, label, list, delete."""

from typing import Annotated, Any, cast

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from ninja.errors import AuthorizationError, HttpError
from ninja.responses import Status as Answer
from pydantic_core import to_json

from vectors.permissions import needs

from ..api.values import NameText, VersionNumber
from ..errors import Refused
from ..models import User
from ..serving.responses import serve
from . import listing, prompts, schemas
from .queries import refuse_unknown

router = Router(tags=["prompts"])
_PATH = "/v2/prompts/{path:name}"
_VERSION = _PATH + "/versions/{int:version}"
Name = Annotated[NameText, Path(description="Percent-encoded, slashes as well.")]


@router.get("/v2/prompts", response={200: schemas.PromptListOut})
def list_prompts(request: HttpRequest, query: Query[schemas.ListQuery]) -> dict[str, Any]:
    """Prompts by name, each with its versions. Filters look at versions, and only those are shown."""
    refuse_unknown(request, schemas.ListQuery)
    return listing.page(query)


@router.post("/v2/prompts", response={201: schemas.PromptOut})
@needs("prompts.add_prompt")
def create_prompt(request: HttpRequest, payload: schemas.CreateIn) -> Answer[dict[str, Any]]:
    """A new prompt, or a new version of the one of that name. Nothing new where nothing differs."""
    if prompts.find(payload.name):
        _require(request, "prompts.change_prompt")
    served = prompts.create(payload, author=_user(request))
    return Answer(201, prompts.as_json(served, served.alone()))


@router.patch(_VERSION, response={200: schemas.PromptOut})
@needs("prompts.change_promptlabel")
def add_labels(
    request: HttpRequest, name: Path[Name], version: Path[VersionNumber], payload: schemas.LabelsIn
) -> dict[str, Any]:
    """Give a version more labels. They leave the versions that had them."""
    served = prompts.add_labels(name, version, payload.new_labels, actor=_user(request))
    return prompts.as_json(served, served.alone())


@router.get(_VERSION, include_in_schema=False)
def get_prompt_named_like_a_version(
    request: HttpRequest, name: Path[Name], version: Path[int], query: Query[schemas.GetQuery]
) -> HttpResponse:
    """The prompt whose name ends with /versions/ and a number."""
    return _get(request, f"{name}/versions/{version}", query)


@router.delete(_VERSION, response={204: None}, include_in_schema=False)
@needs("prompts.delete_prompt")
def delete_prompt_named_like_a_version(
    request: HttpRequest, name: Path[Name], version: Path[int], query: Query[schemas.WhichQuery]
) -> Answer[None]:
    """The prompt whose name ends with /versions/ and a number."""
    return _delete(request, f"{name}/versions/{version}", query)


@router.get(_PATH, response={200: schemas.PromptOut})
def get_prompt(request: HttpRequest, name: Path[Name], query: Query[schemas.GetQuery]) -> HttpResponse:
    """The version of a number, else what a label serves, by default `production`."""
    return _get(request, name, query)


@router.delete(_PATH, response={204: None})
@needs("prompts.delete_prompt")
def delete_prompt(request: HttpRequest, name: Path[Name], query: Query[schemas.WhichQuery]) -> Answer[None]:
    """One version, or without `version` and `label` all of them, into the trash. 400 where another prompt
    includes it; `latest` moves to the highest that is left.
    """
    return _delete(request, name, query)


def _get(request: HttpRequest, name: str, query: schemas.GetQuery) -> HttpResponse:
    def produce() -> bytes:
        served = prompts.read(name, version=query.version, label=query.label)
        return to_json(prompts.as_json(served, served.compose() if query.resolve else served.alone()))

    return serve(request, produce)


def _delete(request: HttpRequest, name: str, query: schemas.WhichQuery) -> Answer[None]:
    _require(request, "prompts.delete_promptversion")
    try:
        prompts.delete(name, version=query.version, label=query.label, actor=_user(request))
    except Refused as refused:  # Langfuse has no 409 for that
        raise HttpError(400, str(refused)) from refused
    return Answer(204, None)


def _require(request: HttpRequest, permission: str) -> None:
    if not _user(request).has_perm(permission):
        raise AuthorizationError(message=f"The key's user lacks the permission {permission}.")


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)  # nobody else gets past the key

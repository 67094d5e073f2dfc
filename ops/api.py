"""REST over environments, for staff. No token for SQL is ever made or shown here: SQL is access to files."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from ninja.errors import HttpError
from ninja.responses import Status

from prompts.models import User
from vectors.api_parts import locate
from vectors.permissions import needs

from . import schemas
from .admin_log import audit, freeze
from .environments import current
from .environments.details import list_places
from .environments.opening import create_with_tables
from .environments.pairs import opened_pair

router = Router(tags=["environments"])
MAX_DETAILS = 200  # of one answer: a diff may take seconds


@router.get("", response={200: schemas.EnvironmentList})
@needs("ops.view_environment")
def list_environments(request: HttpRequest) -> dict[str, Any]:
    """All environments by name."""
    return {"items": current.get_provider().list()}


@router.post("", response={201: schemas.EnvironmentOut})
@needs("ops.add_environment")
def create_environment(
    request: HttpRequest, payload: schemas.EnvironmentIn, response: HttpResponse
) -> Status[Any]:
    """A copy of `source` as it is now, or a new database with AFN's tables."""
    provider = current.get_provider()
    if payload.source:
        made = provider.fork(payload.source, payload.name)
        audit("forked", payload.name, source=payload.source)
    else:
        made = create_with_tables(provider, payload.name)
        audit("created", payload.name)
    locate(request, response, payload.name)
    return Status(201, made)


@router.get("/{name}", response={200: schemas.EnvironmentOut})
@needs("ops.view_environment")
def get_environment(request: HttpRequest, name: Path[schemas.EnvironmentName]) -> Any:
    """One environment."""
    return current.get_provider().get(name)


@router.delete("/{name}", response={204: None})
@needs("ops.delete_environment")
def delete_environment(request: HttpRequest, name: Path[schemas.EnvironmentName]) -> Status[None]:
    """Remove an environment and all that is in it; never the current one or a protected one."""
    current.get_provider().delete(name)
    audit("deleted", name)
    return Status(204, None)


@router.post("/{name}/freeze", response={200: schemas.EnvironmentOut})
@needs("ops.change_environment")
def freeze_environment(
    request: HttpRequest, name: Path[schemas.EnvironmentName], payload: schemas.FreezeIn
) -> Any:
    """Block writes; whoever tries is told the reason. Reading goes on."""
    return freeze(current.get_provider(), name, payload.reason)


@router.post("/{name}/unfreeze", response={200: schemas.EnvironmentOut})
@needs("ops.change_environment")
def unfreeze_environment(request: HttpRequest, name: Path[schemas.EnvironmentName]) -> Any:
    """Allow writes again."""
    unfrozen = current.get_provider().unfreeze(name)
    audit("unfrozen", name)
    return unfrozen


@router.get("/{left}/diff/{right}", response={200: schemas.EnvironmentDiff})
@needs("ops.view_environment")
def diff_environments(
    request: HttpRequest,
    left: Path[schemas.EnvironmentName],
    right: Path[schemas.EnvironmentName],
    filters: Query[schemas.DiffFilters],
) -> dict[str, Any]:
    """Which prompts, versions and fields differ between two environments. Nothing is changed."""
    with opened_pair(current.get_provider(), left, right) as pair:
        found = pair.compare(filters.prompt)
        if not filters.full:
            return found.as_json()
        places = list_places(found)
        if len(places) > MAX_DETAILS:
            raise HttpError(
                422,
                f"full: expected at most {MAX_DETAILS} prompts that differ, got {len(places)}. "
                "Name fewer with prompt, or leave full out.",
            )
        details = [detail.as_json(left, right) for detail in pair.read_details(places)]
        return found.as_json() | {"details": details}


@router.post(
    "/{target}/merge",
    response={
        200: schemas.MergeOut,
        409: schemas.MergeConflictsOut,
    },
)
@needs("ops.change_environment")
def merge_environments(
    request: HttpRequest, target: Path[schemas.EnvironmentName], payload: schemas.MergeIn
) -> dict[str, Any]:
    """Bring prompts of `source` over to `target`, all or none; you sign what is merged, where `target` knows
    you. Conflicts are answered with 409, and nothing is written.
    """
    with opened_pair(current.get_provider(), payload.source, target) as pair:
        result = pair.merge(
            payload.prompts,
            resolve=payload.resolve,
            author=_author(request),
            dry_run=payload.dry_run,
            message=payload.message,
        )
    if not payload.dry_run:
        audit("merged", target, source=payload.source, prompts=len(result.prompts))
    return result.as_json()


def _author(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None

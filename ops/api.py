"""REST over environments, for staff. No token for SQL is ever made or shown here: SQL is access to files."""

from typing import Any

from django.http import HttpRequest
from ninja import Path, Router
from ninja.responses import Status

from vectors.permissions import needs
from vectors.schemas import ERRORS, ErrorOut, Text

from . import schemas
from .environments import current
from .environments.opening import create_with_tables

router = Router(tags=["environments"])


@router.get("", response={200: schemas.EnvironmentList, ERRORS: ErrorOut})
@needs("ops.view_environment")
def list_environments(request: HttpRequest) -> dict[str, Any]:
    """All environments by name."""
    return {"items": current.get_provider().list()}


@router.post("", response={201: schemas.EnvironmentOut, ERRORS: ErrorOut})
@needs("ops.add_environment")
def create_environment(request: HttpRequest, payload: schemas.EnvironmentIn) -> Status[Any]:
    """A copy of `source` as it is now, or a new database with AFN's tables."""
    provider = current.get_provider()
    if payload.source:
        return Status(201, provider.fork(payload.source, payload.name))
    return Status(201, create_with_tables(provider, payload.name))


@router.get("/{name}", response={200: schemas.EnvironmentOut, ERRORS: ErrorOut})
@needs("ops.view_environment")
def get_environment(request: HttpRequest, name: Path[Text]) -> Any:
    """One environment."""
    return current.get_provider().get(name)


@router.delete("/{name}", response={204: None, ERRORS: ErrorOut})
@needs("ops.delete_environment")
def delete_environment(request: HttpRequest, name: Path[Text]) -> Status[None]:
    """Remove an environment and all that is in it; never the current one or a protected one."""
    current.get_provider().delete(name)
    return Status(204, None)


@router.post("/{name}/freeze", response={200: schemas.EnvironmentOut, ERRORS: ErrorOut})
@needs("ops.change_environment")
def freeze_environment(request: HttpRequest, name: Path[Text], payload: schemas.FreezeIn) -> Any:
    """Block writes; whoever tries is told the reason. Reading goes on."""
    return current.get_provider().freeze(name, payload.reason)


@router.post("/{name}/unfreeze", response={200: schemas.EnvironmentOut, ERRORS: ErrorOut})
@needs("ops.change_environment")
def unfreeze_environment(request: HttpRequest, name: Path[Text]) -> Any:
    """Allow writes again."""
    return current.get_provider().unfreeze(name)

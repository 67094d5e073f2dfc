"""API keys: one's own, and those of others with the permission to manage them."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from ninja.responses import Status as Answer

from vectors.permissions import needs

from .. import keys
from ..auth import find_user
from ..errors import NotThere, Protected
from ..models import ApiKey, User
from . import key_schemas as schemas
from .lookup import actor, page
from .values import Id

router = Router(tags=["keys"])


@router.get("/keys", response={200: schemas.KeyPage})
@needs("prompts.view_apikey")
def list_keys(request: HttpRequest, filters: Query[schemas.KeyFilters]) -> dict[str, Any]:
    """Your keys, the newest first, without any secret. Those of another `user` take a permission."""
    holder = _holder(request, filters.user)
    if holder.pk != actor(request).pk and not actor(request).has_perm(keys.MANAGE_OTHERS):
        raise Protected("user", f"yourself, or the permission {keys.MANAGE_OTHERS}", "another user")
    rows = ApiKey.objects.filter(user=holder).select_related("user").order_by("-created_at", "pk")
    return page(rows, filters)


@router.post("/keys", response={201: schemas.IssuedKeyOut})
@needs("prompts.add_apikey")
def create_key(request: HttpRequest, payload: schemas.KeyIn, response: HttpResponse) -> Answer[ApiKey]:
    """Make a key; its secret is shown this once. Asked for with a key, it gets no scope that this one lacks,
    and ends no later. For another `user`, who may no more than you, it takes a permission.
    """
    key, secret = keys.issue_key(
        actor(request),
        _holder(request, payload.user),
        payload.name,
        [scope.value for scope in payload.scopes],
        expires_at=payload.expires_at,
        by=_calling_key(request),
    )
    key.refresh_from_db(fields=["created_at"])
    return Answer(201, _shown_once(key, secret, response))


@router.delete("/keys/{id}", response={204: None})
@needs("prompts.change_apikey")
def revoke_key(request: HttpRequest, id: Path[Id]) -> Answer[None]:
    """Have a key work no longer, with none of its secrets. It stays in the list."""
    keys.revoke_key(keys.find_key(actor(request), id))
    return Answer(204, None)


@router.post("/keys/{id}/rotate", response={200: schemas.IssuedKeyOut})
@needs("prompts.change_apikey")
def rotate_key(
    request: HttpRequest,
    id: Path[Id],
    response: HttpResponse,
    payload: schemas.RotateKeyIn = schemas.RotateKeyIn(),
) -> ApiKey:
    """A new secret, shown this once, which works at once. The one before works for `overlap_hours` more, up
    to 7 days; an earlier one ends now.
    """
    key = keys.find_key(actor(request), id)
    overlap = timedelta(hours=payload.overlap_hours)
    secret = keys.rotate_key(key, overlap=overlap, by=_calling_key(request))
    return _shown_once(key, secret, response)


def _holder(request: HttpRequest, login: str | None) -> User:
    user = actor(request)
    if login is None or login == user.username:
        return user
    found = find_user(login) if user.has_perm(keys.MANAGE_OTHERS) else None
    if found is not None:
        return found
    if not user.has_perm(keys.MANAGE_OTHERS):  # whether there is such a user is nothing to be told
        raise Protected("user", f"yourself, or the permission {keys.MANAGE_OTHERS}", "another user")
    raise NotThere("user", "the name or e-mail of a user", repr(login[:150]))


def _calling_key(request: HttpRequest) -> ApiKey | None:
    """The key of the request; none where it came with a session or a token of Clerk."""
    return getattr(request, "api_key", None)


def _shown_once(key: ApiKey, secret: str, response: HttpResponse) -> ApiKey:
    response["Cache-Control"] = "no-store"
    vars(key)["issued_secret"] = secret
    return key

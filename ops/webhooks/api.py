"""REST over webhooks: who may change them decides where this server sends what happens in it."""

from datetime import timedelta
from typing import Annotated, Any, cast

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from ninja.responses import Status

from prompts.api.values import Id as ValueId
from prompts.errors import NotThere
from prompts.models import User
from vectors.api_parts import locate
from vectors.permissions import needs

from . import saving, schemas
from .models import Delivery, Webhook

router = Router(tags=["webhooks"])
Id = Annotated[ValueId, Path(description="Id of a webhook.")]
DeliveryId = Annotated[ValueId, Path(description="Id of a delivery.")]


@router.get("/webhooks", response={200: schemas.WebhookList})
@needs("ops.view_webhook")
def list_webhooks(request: HttpRequest) -> dict[str, Any]:
    """All webhooks by name."""
    return {"items": list(Webhook.objects.select_related("created_by"))}


@router.post("/webhooks", response={201: schemas.IssuedOut})
@needs("ops.add_webhook")
def create_webhook(request: HttpRequest, payload: schemas.WebhookIn, response: HttpResponse) -> Status[Any]:
    """Make a webhook. The answer has its secret, which is shown this once."""
    issued = _issued(saving.create_webhook(payload.model_dump(), actor=_actor(request)))
    locate(request, response, issued.pk)
    return Status(201, issued)


@router.get("/webhooks/{id}", response={200: schemas.WebhookOut})
@needs("ops.view_webhook")
def get_webhook(request: HttpRequest, id: Id) -> Webhook:
    """One webhook; `paused_reason` says why it is told nothing."""
    return _find(id)


@router.patch("/webhooks/{id}", response={200: schemas.WebhookOut})
@needs("ops.change_webhook")
def change_webhook(request: HttpRequest, id: Id, payload: schemas.WebhookChange) -> Webhook:
    """Change what the body names."""
    return saving.change_webhook(_find(id), payload.changes(), resume=payload.paused is False)


@router.delete("/webhooks/{id}", response={204: None})
@needs("ops.delete_webhook")
def delete_webhook(request: HttpRequest, id: Id) -> Status[None]:
    """Delete it with its log; what still waits is not sent."""
    _find(id).delete()
    return Status(204, None)


@router.post(
    "/webhooks/{id}/rotate",
    summary="Rotate Webhook Secret",
    response={200: schemas.IssuedOut},
)
@needs("ops.change_webhook")
def rotate(request: HttpRequest, id: Id, payload: schemas.RotateIn = schemas.RotateIn()) -> Webhook:
    """A new secret, shown this once. For `overlap_hours` every delivery is signed with both."""
    return _issued(saving.rotate_secret(_find(id), timedelta(hours=payload.overlap_hours)))


@router.post("/webhooks/{id}/ping", summary="Ping Webhook", response={202: schemas.DeliveryOut})
@needs("ops.change_webhook")
def ping(request: HttpRequest, id: Id) -> Status[Delivery]:
    """Send an event of the kind `ping`, once, also to a webhook that is paused; an answer ends the pause.
    It is sent after this answer: look for it in the deliveries.
    """
    return Status(202, saving.ping(_find(id), actor=_actor(request)))


@router.get("/webhooks/{id}/deliveries", response={200: schemas.DeliveryPage})
@needs("ops.view_delivery")
def list_deliveries(request: HttpRequest, id: Id, filters: Query[schemas.DeliveryFilters]) -> dict[str, Any]:
    """What was sent and what came of it, the newest first; kept for 30 days."""
    rows = Delivery.objects.filter(webhook=_find(id).pk).select_related("event")
    if filters.status:
        rows = rows.filter(status=filters.status)
    found = list(rows[filters.offset : filters.offset + filters.limit + 1])
    return {
        "items": found[: filters.limit],
        "limit": filters.limit,
        "offset": filters.offset,
        "has_more": len(found) > filters.limit,
    }


@router.post(
    "/deliveries/{id}/replay",
    summary="Replay Delivery",
    response={202: schemas.DeliveryOut},
)
@needs("ops.change_webhook")
def replay(request: HttpRequest, id: DeliveryId) -> Status[Delivery]:
    """Send the event again under its id, as a delivery of its own. 409 while it still waits."""
    delivery = Delivery.objects.select_related("webhook").filter(pk=id).first()
    if delivery is None:
        raise NotThere("id", "the id of a delivery", repr(id[:64]))
    return Status(202, saving.replay(delivery))


def _find(key: str) -> Webhook:
    webhook = Webhook.objects.select_related("created_by").filter(pk=key).first()
    if webhook is None:
        raise NotThere("id", "the id of a webhook", repr(key[:64]))
    return webhook


def _issued(issued: saving.Issued) -> Webhook:
    vars(issued.webhook)["secret"] = issued.secret  # for this answer, and gone after it
    return issued.webhook


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)  # only known users get past a permission

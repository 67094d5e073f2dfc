"""REST beside the streams: a ticket for a page that cannot send a key."""

from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja.errors import AuthenticationError, AuthorizationError
from ninja.responses import Status

from prompts.models import User
from vectors.permissions import READING, needs

from . import tickets
from .schemas import TicketOut

router = Router(tags=["realtime"])


@router.post("/realtime/tickets", response={201: TicketOut})
@needs(READING)
def create_ticket(request: HttpRequest) -> Status[Any]:
    """A ticket to connect to `/ws` or `/events` within 30 seconds, once, with what the key may hear of: pages
    cannot send keys there. A session gets none, as its cookie counts.
    """
    if not isinstance(request.user, User):  # where anybody may read
        raise AuthenticationError
    if "Authorization" not in request.headers:
        raise AuthorizationError(message="Send an API key: a session connects with its cookie.")
    ticket = tickets.issue(request.user, getattr(request, "api_key", None))
    return Status(201, {"ticket": ticket, "expires_in": tickets.SECONDS})

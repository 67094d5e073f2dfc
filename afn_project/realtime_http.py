"""`/ws` and `/events`: who may connect, in front of Django's pages.

A page of the console has its session, which counts only where the page is of this site. A program sends its
key in a header, and a page elsewhere brings a ticket. Nobody sends a key in the address, which logs keep.
"""

from __future__ import annotations

import logging
import re
from io import BytesIO
from typing import Any, Final
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from ninja.errors import AuthenticationError

from ops.monitoring.counters import realtime_connections
from ops.realtime import callers, sse, tickets, websocket
from ops.realtime.asgi import Receive, Scope, Send, refuse
from ops.realtime.callers import Caller
from ops.realtime.events import order_of
from ops.realtime.hub import Client, TooManyClients, hub
from ops.realtime.kinds import Filter
from prompts import limiting
from prompts.mcp_server.threads import in_thread
from prompts.models import User
from vectors.permissions import READING

from . import allowed_networks
from .api_errors import Problem
from .mcp_callers import HttpCaller
from .mcp_errors import problem_of

logger = logging.getLogger(__name__)
WEBSOCKET, EVENTS = "/ws", "/events"
_MAX_QUERY: Final = 2_000
_KNOWN: Final = {"kinds", "after", "ticket"}
_SECRETS: Final = re.compile(r"(api[-_]?)?key|(access[-_]?)?token|secret|authorization|password", re.I)
_KEY_IN_QUERY: Final = (
    "A key in the address ends up in logs: send it as `Authorization: Bearer`, or get a ticket from "
    "POST /api/v1/realtime/tickets."
)
_UNKNOWN: Final = (
    "Log in, send an API key as `Authorization: Bearer`, or bring a ticket of POST /api/v1/realtime/tickets."
)


class _Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class WithRealtime:
    """An ASGI application: the streams here, all else from `pages`."""

    def __init__(self, pages: Any) -> None:
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()  # that it wants to connect
            if scope["path"] != WEBSOCKET:
                await refuse(scope, send, 404, f"WebSockets are spoken at {WEBSOCKET}.")
                return
        elif scope["type"] != "http" or scope["path"] != EVENTS:
            await self._pages(scope, receive, send)
            return
        try:
            client, after = await _admit(scope)
        except _Refused as refused:
            problem = refused.problem
            await refuse(scope, send, problem.status, problem.detail, problem.headers)
            return
        kind = "websocket" if scope["type"] == "websocket" else "sse"
        try:
            with realtime_connections.labels(kind).track_inprogress():
                if kind == "websocket":
                    offered = websocket.SUBPROTOCOL in scope.get("subprotocols", ())
                    chosen = websocket.SUBPROTOCOL if offered else None
                    await websocket.serve(client, hub, receive, send, after=after, subprotocol=chosen)
                else:
                    await sse.serve(client, hub, receive, send, after=after, headers=_cors(_request(scope)))
        finally:
            hub.leave(client)


async def _admit(scope: Scope) -> tuple[Client, str]:
    """The client, which is entered, and the id after which it goes on. Raises ``_Refused``."""
    request = _request(scope)
    if problem := _misdirected(scope, request):
        raise _Refused(problem)
    given = _query(scope)
    try:
        wanted = Filter.read(given.get("kinds", "").split(","))
        if after := request.headers.get("Last-Event-ID") or given.get("after", ""):
            order_of(after)
    except ValueError as error:
        raise _Refused(Problem(422, str(error))) from error
    try:
        caller = await in_thread(_caller, request, _ticket(scope, given))
    except _Refused:
        raise
    except Exception as error:  # the API has words for each
        raise _Refused(problem_of(error)) from error
    if READING not in caller.permissions:
        raise _Refused(Problem(403, "This key lacks the scope 'read'."))
    client = Client(caller, wanted)
    try:
        hub.enter(client)
    except TooManyClients as error:
        detail = "Too many connections of yours." if error.is_own else "Too many connections."
        headers = {"Retry-After": "5"}
        raise _Refused(Problem(429 if error.is_own else 503, detail, headers)) from error
    return client, after


def _request(scope: Scope) -> ASGIRequest:
    """As of a page: a WebSocket begins as one."""
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "http"), scope.get("scheme", "http"))
    return ASGIRequest({"method": "GET", **scope, "scheme": scheme}, BytesIO())


def _misdirected(scope: Scope, request: ASGIRequest) -> Problem | None:
    try:
        request.get_host()
    except DisallowedHost:
        return Problem(421, "This host name is none of ALLOWED_HOSTS.")
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        return Problem(403, "Use https:// or wss://: a key is not to be sent in the open.")
    if request.method != "GET":
        return Problem(405, "Events are read by GET.", {"Allow": "GET"})
    if len(scope["query_string"]) > _MAX_QUERY:
        return Problem(414, f"The query: expected at most {_MAX_QUERY} bytes.")
    return None


def _query(scope: Scope) -> dict[str, str]:
    """Raises ``_Refused``; the value of what is refused is not shown."""
    found = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    for name, value in found:
        if (name not in _KNOWN and _SECRETS.fullmatch(name)) or value.lstrip().startswith("sk-afn-"):
            raise _Refused(Problem(400, _KEY_IN_QUERY))
    if unknown := {name for name, _ in found} - _KNOWN:
        names = ", ".join(sorted(_KNOWN))
        raise _Refused(Problem(422, f"{min(unknown)[:64]}: expected one of {names}."))
    return dict(found)


def _ticket(scope: Scope, given: dict[str, str]) -> str:
    """As a parameter, or as a subprotocol, where no log shows it."""
    protocols = scope.get("subprotocols") or ()
    named = [one.removeprefix("ticket.") for one in protocols if one.startswith("ticket.")]
    return given.get("ticket", "") or (named[0] if named else "")


def _caller(request: ASGIRequest, ticket: str) -> Caller:
    """Raises ``_Refused``, or what the API raises. Where it comes from counts before who it is."""
    has_key = "Authorization" in request.headers
    area: allowed_networks.Area = "api" if ticket or has_key else "console"
    if not allowed_networks.is_allowed(limiting.client_text(request), area):
        raise _Refused(Problem(403, allowed_networks.REFUSAL))
    if ticket:
        return _of_ticket(request, ticket)
    if not has_key:
        return _of_session(request)
    user = HttpCaller(request).admit(READING)
    if not isinstance(user, User):
        raise AuthenticationError
    return callers.of_user(user, getattr(request, "api_key", None))


def _of_ticket(request: ASGIRequest, ticket: str) -> Caller:
    limiting.check_wrong_credentials(request)
    if (caller := tickets.redeem(ticket)) is None:
        limiting.note_wrong_credentials(request)
        raise _Refused(Problem(401, "This ticket is wrong, used or older than 30 seconds."))
    return caller


def _of_session(request: ASGIRequest) -> Caller:
    if not (key := request.COOKIES.get(settings.SESSION_COOKIE_NAME)):
        raise _Refused(Problem(401, _UNKNOWN, {"WWW-Authenticate": 'Bearer realm="afn"'}))
    if not _is_of_this_site(request):
        raise _Refused(Problem(403, "A session counts for pages of this site; this origin is another one."))
    if (caller := callers.of_session(key)) is None:
        raise _Refused(Problem(401, _UNKNOWN))
    return caller


def _is_of_this_site(request: ASGIRequest) -> bool:
    """By Django's own rule for forms. A browser names the origin of every WebSocket; that of a page which
    asks its own site it leaves out, and says so otherwise.
    """
    if "Origin" in request.headers:
        return bool(CsrfViewMiddleware(lambda _: HttpResponse())._origin_verified(request))  # type: ignore[attr-defined]
    return request.scope["type"] == "http" and request.headers.get("Sec-Fetch-Site", "none") in (
        "same-origin",
        "none",
    )


def _cors(request: ASGIRequest) -> dict[str, str]:
    origin = request.headers.get("Origin", "")
    if origin not in settings.AFN_CORS_ORIGINS:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}

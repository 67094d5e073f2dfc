"""`/mcp`: the MCP server over streamable HTTP, in front of Django's pages.

Every request stands by itself, with its credentials and its answer in JSON: no sessions, so that any worker
and any machine answers any of them. What is refused here never reaches the protocol's library.
"""

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from io import BytesIO
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from mcp.server import ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import INTERNAL_ERROR, INVALID_REQUEST
from starlette.middleware.cors import CORSMiddleware

from ops import request_ids
from ops.audit.context import of_request
from prompts.mcp_server.callers import Caller
from prompts.mcp_server.failures import Failure
from prompts.mcp_server.server import build_server
from prompts.mcp_server.threads import in_thread
from vectors.permissions import READING

from . import allowed_networks
from .api_errors import Problem
from .mcp_callers import HttpCaller
from .mcp_errors import describe, problem_of

logger = logging.getLogger(__name__)
PATH: Final = "/mcp"
_CALLER: Final = "afn.caller"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class WithMcp:
    """An ASGI application: `/mcp` here, all else from `pages`. Its server has to speak of its lifespan."""

    def __init__(self, pages: Application) -> None:
        self._pages = pages
        self._manager = StreamableHTTPSessionManager(
            build_server(_caller_of, describe),
            json_response=True,
            stateless=True,
            max_request_body_size=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        )
        self._guarded: Application = self._guard
        if settings.AFN_CORS_ORIGINS:
            self._guarded = CORSMiddleware(
                self._guard,
                allow_origins=settings.AFN_CORS_ORIGINS,
                allow_methods=["POST"],
                allow_headers=["*"],
                expose_headers=["WWW-Authenticate"],
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"] == PATH:
            with request_ids.carrying(request_ids.choose(_given_id(scope))):
                await self._enter(scope, receive, _with_id(send))
        else:
            await self._pages(scope, receive, send)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        if allowed_networks.is_anything_set() and allowed_networks.refuses(ASGIRequest(scope, BytesIO())):
            await _read_to_the_end(scope, receive)
            await _answer(Problem(403, allowed_networks.REFUSAL), send)
        else:
            await self._guarded(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._manager.run():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            request = ASGIRequest(scope, BytesIO())
            with of_request(request):
                if problem := await self._refusal(scope, request):
                    await _read_to_the_end(scope, receive)
                    await _answer(problem, watched)
                else:
                    await self._manager.handle_request(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - a client gets no text of it
            problem = problem_of(error)
            if not started:
                await _answer(problem, send)

    async def _refusal(self, scope: Scope, request: ASGIRequest) -> Problem | None:
        if problem := _misdirected(request):
            return problem
        if request.method != "POST":
            # GET would open a stream on which nothing ever comes, DELETE end a session that there is not.
            return Problem(405, "MCP is spoken here: send JSON-RPC by POST.", {"Allow": "POST"})
        caller = scope[_CALLER] = HttpCaller(request)
        try:
            await in_thread(caller.admit, READING)
        except Exception as error:  # noqa: BLE001 - the API has words for each
            return problem_of(error)
        return None


def _given_id(scope: Scope) -> str | None:
    wanted = request_ids.HEADER.lower().encode()
    found = [value for name, value in scope["headers"] if name == wanted]
    return found[0].decode("latin-1") if found else None


def _with_id(send: Send) -> Send:
    header = (request_ids.HEADER.lower().encode(), request_ids.current().encode())

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), header]}
        await send(message)

    return sending


def _caller_of(context: ServerRequestContext[Any, Any]) -> Caller:
    caller: Caller = context.request.scope[_CALLER]  # type: ignore[union-attr]  # HTTP always has one
    return caller


def _misdirected(request: ASGIRequest) -> Problem | None:
    """Sent by the page of a stranger: its name leads here (DNS rebinding), or its browser says where from."""
    try:
        request.get_host()
    except DisallowedHost:
        return Problem(421, "This host name is none of ALLOWED_HOSTS.")
    origin = request.headers.get("Origin")
    if origin is not None and origin not in settings.AFN_CORS_ORIGINS:
        return Problem(403, "This origin is none of AFN_CORS_ORIGINS.")
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        return Problem(403, "Use https://: a key is not to be sent in the open.")
    return None


async def _read_to_the_end(scope: Scope, receive: Receive) -> None:
    """A proxy that is still sending would see the connection close before it sees the answer. Larger bodies
    than are allowed are left to it.
    """
    left = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if _length(scope) > left:
        return
    while left >= 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return


def _length(scope: Scope) -> int:
    found = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(found[0]) if found and found[0].isdigit() else 0


async def _answer(problem: Problem, send: Send) -> None:
    """As an error of JSON-RPC: clients show its message."""
    failure = Failure(problem.status, problem.detail)
    code = INTERNAL_ERROR if problem.status >= 500 else INVALID_REQUEST
    error = {"code": code, "message": failure.text, "data": failure.as_json()}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **problem.headers}
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})

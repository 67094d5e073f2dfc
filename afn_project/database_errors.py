"""Pages while the database is frozen or out of reach: they say so, and what to do."""

import logging
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.translation import get_language_from_request, override
from django.views.defaults import server_error as page_500

from .api_forms import form
from .libsql.errors import OutcomeUnknown, ServerError, WritesBlocked
from .replicas import SAFE

logger = logging.getLogger(__name__)
UNKNOWN: Final = "The connection to the database broke: this is stored or not. Look before you try again."
_before: ContextVar[int | None] = ContextVar("stored_before", default=None)


class DatabaseErrorsMiddleware:
    """Outside of all that may ask the database, sessions and sign-in among it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # What a request that only reads may store, such as when a key was last used, nobody has to look for.
        token = _before.set(None if request.method in SAFE else _stored())
        try:
            return self.get_response(request)
        finally:
            _before.reset(token)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return answer(request, error) if isinstance(error, ServerError) else None


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``: what failed outside of the view, such as saving the session."""
    error = sys.exc_info()[1]
    response: HttpResponse = answer(request, error) if isinstance(error, ServerError) else page_500(request)
    return response


def describe(error: ServerError) -> tuple[int, str]:
    """Status and text for whoever asked: 423 with the operator's reason where it is frozen, else 503.

    The error's own text may name inner addresses: that goes to the log.
    """
    if isinstance(error, WritesBlocked):
        return 423, str(error)
    logger.error("The database failed: %s", error)
    if is_unknown(error):
        return 503, UNKNOWN
    return 503, "The database is out of reach, nothing was changed. Try again."


def is_unknown(error: ServerError) -> bool:
    """May what was asked for be stored? Also where it is, and what was read for the answer failed."""
    before = _before.get()
    return isinstance(error, OutcomeUnknown) or (before is not None and _stored() != before)


def _stored() -> int:
    """Writes that the server has kept for this thread."""
    opened = connection.connection
    return getattr(opened.driver, "stored", 0) if opened is not None else 0


def answer(request: HttpRequest, error: ServerError) -> HttpResponse:
    status, text = describe(error)
    if request.path.startswith("/api/"):
        status, body = form(request.path, status, text)
        response: HttpResponse = JsonResponse(body, status=status)
    else:
        context = {
            "reason": getattr(error, "reason", ""),
            "is_unknown": is_unknown(error),
            "path": request.path,
        }
        # Without context processors: they ask the database who is signed in.
        with override(get_language_from_request(request)):
            response = HttpResponse(render_to_string("database_error.html", context), status=status)
    if status == 503:
        response["Retry-After"] = "2"
    return response

"""Input that the database cannot take (NUL in a filter, a broken pattern) is the sender's error, not ours."""

from collections.abc import Callable
from typing import Final

from django.db import DataError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.utils.html import escape

# What SQLite says where 50,000 characters and more are searched for with LIKE.
_TOO_LONG: Final = "LIKE or GLOB pattern too complex"


class BadInputMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        is_too_long = isinstance(error, OperationalError) and str(error).startswith(_TOO_LONG)
        if is_too_long or isinstance(error, DataError):
            return HttpResponseBadRequest(f"<h1>Bad request</h1><p>{escape(error)}</p>")
        return None

"""Read the body of a request that was answered without a look at it.

Where it is left unread the server closes the connection, and a proxy that is still sending sees that before
the answer: of 400 refused uploads of 99 kB, 10 became 502 behind Caddy.
"""

from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_PART = 65_536


class UnreadBodyMiddleware:
    """First of all, so that it sees every answer. Larger bodies than are allowed are left to the proxy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if _length(request) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            with suppress(OSError):  # the client has gone, and does not miss anything
                while request.read(_PART):
                    pass
        return response


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0

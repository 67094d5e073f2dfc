"""What is looked at in the body of a request, whatever form it has."""

from __future__ import annotations

from django.http import HttpRequest

from vectors.errors import VectorError


class InvalidBody(VectorError):
    """The bytes of a request do not have the form that they should."""


def check_whole(request: HttpRequest, received: int) -> None:
    """Raise InvalidBody where the connection broke before the end of a body of `received` bytes.

    A server may pass on what came as if it were all: whoever cannot tell by the form has to count.
    """
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isdecimal() and received < int(announced):
        raise InvalidBody("body", f"{int(announced):,} bytes, as Content-Length says", f"{received:,} bytes")

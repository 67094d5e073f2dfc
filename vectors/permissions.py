"""Which Django permission an API operation needs: declared beside it, checked by whoever serves it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja.decorators import decorate_view

_View = Callable[..., HttpResponseBase]
_Operation = TypeVar("_Operation", bound=Callable[..., Any])

READING: Final = ""


def needs(permission: str) -> Callable[[_Operation], _Operation]:
    """Stands below the route; `needs(READING)` is for a POST that only reads."""

    def note(run: _View) -> _View:
        @wraps(run)
        def noted(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            request.needed_permission = permission  # type: ignore[attr-defined]
            return run(request, **arguments)

        return noted

    return decorate_view(note)


def needed_permission(request: HttpRequest) -> str:
    """What the operation declared. One that changes something and says nothing is left to superusers."""
    is_safe = request.method in ("GET", "HEAD", "OPTIONS")
    return str(getattr(request, "needed_permission", READING if is_safe else "undeclared"))

"""Where a change comes from: the request that is being answered, a worker's task, or a command."""

from __future__ import annotations

import getpass
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from celery import current_task
from django.conf import settings
from django.http import HttpRequest

from prompts.limiting import read_address

from .models import Source

REQUEST_ID: Final = "X-Request-ID"
_GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
# By the start of the path; all other pages are the console's.
_PATHS: Final = (
    ("/api/public/", Source.LANGFUSE),
    ("/api/", Source.API),
    ("/mcp", Source.MCP),
)


@dataclass(slots=True)
class Origin:
    """Of one change, or of all that are made within a request."""

    source: Source
    actor: Any = None
    address: str = ""
    request: HttpRequest | None = None
    _id: str = field(default="")

    @property
    def request_id(self) -> str:
        """The one that a proxy in front has given, or a new one; empty outside of requests."""
        if self.request is not None and not self._id:
            given = self.request.headers.get(REQUEST_ID, "")
            self._id = given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
        return self._id

    @property
    def is_recorded(self) -> bool:
        """Did anything ask for its id?"""
        return bool(self._id)

    def who(self) -> tuple[str, str]:
        """Id and name of who does it; of a command the name of its user on this machine."""
        user = self.actor or getattr(self.request, "user", None)
        if user is not None and getattr(user, "is_authenticated", False):
            return str(user.pk), user.get_username()
        return "", _login() if self.source == Source.COMMAND else ""


_current: ContextVar[Origin | None] = ContextVar("audit_origin", default=None)


def origin() -> Origin:
    found = _current.get()
    if found is not None:
        return found
    return Origin(Source.WORKER if current_task else Source.COMMAND)


@contextmanager
def of_request(request: HttpRequest) -> Iterator[Origin]:
    """All that is recorded within comes from this request."""
    source = next((one for start, one in _PATHS if request.path.startswith(start)), Source.CONSOLE)
    with _set(Origin(source, address=_address(request), request=request)) as found:
        yield found


@contextmanager
def acting(source: Source, actor: Any = None, address: str = "") -> Iterator[Origin]:
    """For what is served without Django's requests."""
    with _set(Origin(source, actor, address)) as found:
        yield found


@contextmanager
def _set(found: Origin) -> Iterator[Origin]:
    token = _current.set(found)
    try:
        yield found
    finally:
        _current.reset(token)


def _address(request: HttpRequest) -> str:
    """Who connected; behind AFN_PROXIES proxies what the first of them saw: before that anybody may write."""
    found = request.META.get("REMOTE_ADDR", "")
    if proxies := settings.AFN_PROXIES:
        seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        found = seen[-proxies].strip() if len(seen) >= proxies else found
    address = read_address(found)
    return str(address) if address else ""  # a Unix socket has none


@cache
def _login() -> str:
    with suppress(OSError, KeyError, ImportError):
        return f"{getpass.getuser()} (shell)"
    return ""

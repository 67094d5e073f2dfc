"""Where a change comes from: the request that is being answered, a worker's task, or a command."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from celery import current_task
from django.http import HttpRequest

from ops import request_ids
from prompts.limiting import client_text, read_address

from .models import Source

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

    @property
    def request_id(self) -> str:
        """Also of a task that a request asked for; empty where nobody did."""
        return request_ids.current()

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
    address = read_address(client_text(request))
    return str(address) if address else ""  # a Unix socket has none


@cache
def _login() -> str:
    with suppress(OSError, KeyError, ImportError):
        return f"{getpass.getuser()} (shell)"
    return ""

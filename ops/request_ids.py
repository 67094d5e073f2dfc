"""The id of the request that is being answered, which all that comes of it carries: lines of the log and of
the audit log, slow queries, and tasks, which take it along to the worker.

It is the `X-Request-ID` of whoever asks, where that is one, else a new one; every answer says which.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from celery.signals import before_task_publish, task_postrun, task_prerun
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER: Final = "X-Request-ID"
_OF_TASKS: Final = "afn_request_id"
_GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """Empty outside of requests and of what came of them."""
    return _current.get()


def choose(given: str | None) -> str:
    """The id that was given where it is one, else a new one of 32 hexadecimal digits."""
    return given if given and _GIVEN.fullmatch(given) else os.urandom(16).hex()


@contextmanager
def carrying(request_id: str) -> Iterator[None]:
    token = _current.set(request_id)
    try:
        yield
    finally:
        _current.reset(token)


class RequestIdMiddleware:
    """Before all that may log. The id stays until the answer is sent: Django logs what it answered after the
    last middleware, and a stream is made after that.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = choose(request.META.get("HTTP_X_REQUEST_ID"))
        _current.set(request_id)
        response = self.get_response(request)
        response.headers[HEADER] = request_id
        return response


@receiver(request_finished, dispatch_uid="request-id")
def _forget(**_: Any) -> None:
    _current.set("")


@before_task_publish.connect(dispatch_uid="request-id")
def _send_along(headers: dict[str, Any] | None = None, **_: Any) -> None:
    if headers is not None and (found := current()):
        headers[_OF_TASKS] = found


@task_prerun.connect(dispatch_uid="request-id")
def _take_up(task_id: str, task: Any, **_: Any) -> None:
    """In a worker. One that no request asked for, such as by a schedule, has the id of the task."""
    if not task.request.is_eager:
        given = getattr(task.request, _OF_TASKS, None)
        _current.set(choose(given if isinstance(given, str) else task_id))


@task_postrun.connect(dispatch_uid="request-id")
def _give_up(task: Any, **_: Any) -> None:
    if not task.request.is_eager:
        _current.set("")

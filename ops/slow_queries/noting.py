"""Timing every statement, and noting those that took long. All else happens later (`writing`)."""

import logging
import sys
import threading
from collections.abc import Iterator, Mapping, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from operator import length_hint
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import Any, Final

from celery import current_task
from django.conf import settings
from django.db.backends.signals import connection_created
from django.utils import timezone

from ops import request_ids
from ops.audit.context import origin

logger = logging.getLogger(__name__)
_OWN: Final = ("afn_project.", "ops.", "prompts.", "vectors.")
# They only pass statements on.
_PASSING: Final = ("afn_project.libsql", "afn_project.apps", "ops.slow_queries", "vectors.rows")
_quiet: ContextVar[bool] = ContextVar("slow_queries_quiet", default=False)


@dataclass(frozen=True, slots=True)
class Note:
    """Values are not kept: of parameters their number, or their names."""

    moment: datetime
    sql: str
    parameters: int | tuple[str, ...] | None
    seconds: float
    rows: int | None
    database: str
    place: str
    caller: str
    request_id: str
    error: str = ""


def install() -> None:
    if settings.AFN_SLOW_QUERY_SECONDS > 0:
        connection_created.connect(watch, dispatch_uid="slow-queries")


def watch(connection: Any, **_: Any) -> None:
    """Time the statements of a connection, each time it connects."""
    if timed not in connection.execute_wrappers:
        # First: who takes a wrapper of his own off again takes off the last.
        connection.execute_wrappers.insert(0, timed)


@contextmanager
def quiet() -> Iterator[None]:
    """Note nothing within: it is the writing of what was noted."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


def timed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    """A wrapper of Django's (``connection.execute_wrappers``)."""
    start = perf_counter()
    try:
        result = execute(sql, params, many, context)
    except Exception as error:
        if 0 < settings.AFN_SLOW_QUERY_SECONDS <= (seconds := perf_counter() - start):
            _note(sql, params, many, context, seconds, type(error).__name__)
        raise
    if 0 < settings.AFN_SLOW_QUERY_SECONDS <= (seconds := perf_counter() - start):
        _note(sql, params, many, context, seconds)
    return result


def _note(sql: str, params: Any, many: bool, context: Any, seconds: float, error: str = "") -> None:
    from .writing import writer

    if _quiet.get():
        return
    try:
        writer.add(
            Note(
                moment=timezone.now(),
                sql=str(sql),
                parameters=None if many else _shape(params),
                seconds=seconds,
                rows=None if error else _rows(context["cursor"].cursor),
                database=context["connection"].alias,
                place=_place(),
                caller=_caller(sys._getframe(2)),
                request_id=request_ids.current(),
                error=error,
            )
        )
    except Exception:  # the statement has been run: its result matters more
        logger.exception("A slow query could not be noted")


def _shape(params: Any) -> int | tuple[str, ...] | None:
    if isinstance(params, Mapping):
        return tuple(map(str, params))
    return len(params) if isinstance(params, Sized) else None


def _rows(cursor: Any) -> int | None:
    """Changed, or waiting to be fetched; libSQL has them all by now."""
    if (changed := getattr(cursor, "rowcount", -1)) >= 0:
        return int(changed)
    waiting = length_hint(cursor, -1)
    return waiting if waiting >= 0 else None


def _place() -> str:
    found = origin()
    if found.request is not None:
        match = getattr(found.request, "resolver_match", None)
        method = found.request.method if str(found.request.method).isalpha() else ""
        return f"{method} /{match.route}" if match else f"{method} {found.source}"
    if current_task:
        return f"task {current_task.name}"
    thread = threading.current_thread()
    if thread is not threading.main_thread():
        return f"thread {thread.name}"
    program, *arguments = sys.argv or [""]
    if Path(program).name == "manage.py" and arguments:
        return f"command {arguments[0]}"
    return f"program {Path(program).name}"


def _caller(frame: FrameType | None) -> str:
    """The nearest line of AFN's own, by its module; middleware, through which everything goes, is none."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        is_own = name.startswith(_OWN) and not name.startswith(_PASSING)
        if is_own and frame.f_code.co_name != "__call__":
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return ""

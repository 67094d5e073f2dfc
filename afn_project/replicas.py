"""Which requests read from the replica, and how whoever wrote reads what was written.

A replica is behind by some milliseconds. That is fine for a page or a GET of the API, and wrong everywhere
else: a task that looks for the row it was told of, a form that checks what is taken, a reader who has just
saved. So the replica is read in requests that only read, unless their session has written a moment ago.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import MiddlewareNotUsed
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .libsql.statements import TRANSACTION, first_word, only_reads

REPLICA = "replica"
COOKIE = "afn_wrote"
SAFE = ("GET", "HEAD", "OPTIONS")

_may_lag: ContextVar[bool] = ContextVar("may_lag", default=False)
_is_bookkeeping: ContextVar[bool] = ContextVar("is_bookkeeping", default=False)


@contextmanager
def bookkeeping() -> Iterator[None]:
    """Write what nobody waits to read, such as when a key was last used, and go on reading the replica."""
    token = _is_bookkeeping.set(True)
    try:
        yield
    finally:
        _is_bookkeeping.reset(token)


class ReplicaRouter:
    """Reads of requests that may lag go to the replica, all else where Django sends it."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        if _may_lag.get() and not connections[DEFAULT_DB_ALIAS].in_atomic_block:
            return REPLICA if _home(hints) is None else None
        return _home(hints)

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        return _home(hints) if _from_replica(hints) else None

    def allow_relation(self, left: Model, right: Model, **hints: Any) -> bool | None:
        aliases = {left._state.db, right._state.db}
        return True if aliases <= {REPLICA, DEFAULT_DB_ALIAS} else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == REPLICA else None


class ReadYourWritesMiddleware:
    """Lets a request that only reads use the replica; a write keeps its session off it for some seconds.

    A session is a browser, known by a cookie, or an API key, remembered in the cache by the hash of its
    header. The cookie says nothing but that somebody wrote.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if REPLICA not in settings.DATABASES:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        session = _session_key(request)
        is_reading = request.method in SAFE and COOKIE not in request.COOKIES and not _has_written(session)
        wrote: list[bool] = []

        def notice(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            changes = not only_reads(sql) and first_word(sql) not in TRANSACTION
            if changes and not _is_bookkeeping.get():
                wrote.append(True)
                _may_lag.set(False)
            return execute(sql, params, many, context)

        token = _may_lag.set(is_reading)
        try:
            with connections[DEFAULT_DB_ALIAS].execute_wrapper(notice):
                response = self.get_response(request)
        finally:
            _may_lag.reset(token)
        if wrote and settings.AFN_READ_YOUR_WRITES:
            self._remember(session, response)
        return response

    def _remember(self, session: str, response: HttpResponseBase) -> None:
        seconds = settings.AFN_READ_YOUR_WRITES
        if session:
            _keep(session)
        else:
            response.set_cookie(
                COOKIE,
                "1",
                max_age=int(seconds + 1),
                httponly=True,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )


def note_write(request: HttpRequest) -> None:
    """Have who sent this read from the primary for some seconds: for writes that no middleware sees."""
    session = _session_key(request)
    if session and settings.AFN_READ_YOUR_WRITES and REPLICA in settings.DATABASES:
        _keep(session)


def _keep(session: str) -> None:
    # Without a cache the primary answers all, see below.
    with suppress(Exception):
        cache.set(session, True, settings.AFN_READ_YOUR_WRITES)


def _session_key(request: HttpRequest) -> str:
    credentials = request.headers.get("Authorization")
    return f"wrote:{hashlib.sha256(credentials.encode()).hexdigest()[:32]}" if credentials else ""


def _has_written(session: str) -> bool:
    if not session:
        return False
    try:
        return bool(cache.get(session))
    except Exception:  # noqa: BLE001 - whatever is wrong with the cache, the primary knows
        return True


def _from_replica(hints: dict[str, Any]) -> bool:
    instance = hints.get("instance")
    return instance is not None and instance._state.db == REPLICA


def _home(hints: dict[str, Any]) -> str | None:
    """Where an object belongs that another one leads to: what came from the replica, to the primary."""
    instance = hints.get("instance")
    if instance is None or instance._state.db is None:
        return None
    return DEFAULT_DB_ALIAS if instance._state.db == REPLICA else str(instance._state.db)

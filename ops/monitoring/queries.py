"""Times every statement and counts connections. Cheap: some microseconds beside a statement's hundreds.

django-prometheus has database engines of its own for this, which would take the place of AFN's.
"""

import os
import time
import weakref
from collections.abc import Callable
from typing import Any, Final

from django.db.backends.signals import connection_created
from django.dispatch import receiver

from ops.health.probing import is_probing
from vectors.signals import searched

from .counters import db_connections, query_duration, vector_search_latency

_OTHER: Final = query_duration.labels("other")
# By the start of a statement. Searches start with WITH.
_BY_START: Final = {
    "SELECT": query_duration.labels("select"),
    "WITH": query_duration.labels("select"),
    "INSERT": query_duration.labels("insert"),
    "REPLAC": query_duration.labels("insert"),
    "UPDATE": query_duration.labels("update"),
    "DELETE": query_duration.labels("delete"),
}


@receiver(connection_created, dispatch_uid="query-duration")
def watch(connection: Any, **_: Any) -> None:
    if connection.vendor != "sqlite":
        return
    if _time not in connection.execute_wrappers:
        # First in the list is outermost: what other wrappers do is no time of the statement.
        connection.execute_wrappers.append(_time)
    _count(connection)


def _time(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        if not is_probing():
            _of(sql).observe(time.perf_counter() - started)


def _of(sql: str) -> Any:
    return _BY_START.get(sql[:6]) or _BY_START.get(sql.lstrip()[:6].rstrip().upper(), _OTHER)


def _count(connection: Any) -> None:
    """A file's connection counts from here until nobody has it any more. To a server they are the streams of
    a pool, which `afn_project.metrics` counts.
    """
    target = getattr(connection, "target", None)
    if is_probing() or target is None or target.is_remote:  # without a target it is another engine's
        return
    db_connections.labels(connection.alias).inc()
    weakref.finalize(connection.connection, _closed, connection.alias, os.getpid()).atexit = False


def _closed(alias: str, process: int) -> None:
    if process == os.getpid():  # a fork has a copy, which it never opened
        db_connections.labels(alias).dec()


@receiver(searched, dispatch_uid="search-latency")
def time_search(seconds: float, **_: Any) -> None:
    if not is_probing():
        vector_search_latency.observe(seconds)

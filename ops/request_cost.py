"""What AFN's own looking on costs a request that is answered from memory: the same with it and without.

In one process and in turns, so that what else the machine does falls on both; the quickest of short rounds
count, in some of which nobody else needs the processor.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import override_settings

from prompts.models import ApiKey, Prompt, User
from prompts.serving import counts

from .monitoring import queries

ROUNDS: Final = 200
_REQUESTS: Final = 8  # of a round
_PATH: Final = "/api/v1/prompts/benchmark/prompt"
# By what is left out, the middleware of it.
PARTS: Final = {
    "metrics": ("django_prometheus.middleware.",),
    "request ids and the log": ("ops.request_ids.",),
    "audit log": ("ops.audit.middleware.",),
    "allowed networks": ("afn_project.allowed_networks.",),
}
PARTS_TOGETHER: Final = "all of these"


def measure(rounds: int = ROUNDS) -> dict[str, Any]:
    """Milliseconds of a request without any of PARTS, and what each adds, to a database that has no prompt.

    {"bare_ms": 0.4, "added_ms": {"metrics": 0.01, …, "all of these": 0.02}}
    """
    user = User.objects.create_superuser("cost", "cost@example.org", None)
    secret = ApiKey.issue(user, "cost", ["read"])[1]
    Prompt(name="benchmark/prompt", title="Benchmark", content="Hello {{name}}.", user=user).save()
    every = tuple(prefix for prefixes in PARTS.values() for prefix in prefixes)
    left_out = {**PARTS, PARTS_TOGETHER: every}
    whole = WSGIHandler()
    without = {name: _handler_without(prefixes) for name, prefixes in left_out.items()}
    quickest = {name: float("inf") for name in ("", *left_out)}
    for _ in range(rounds):
        quickest[""] = min(quickest[""], _milliseconds(whole, secret))
        for name, handler in without.items():
            with _without_counters(is_wanted=name in ("metrics", PARTS_TOGETHER)):
                quickest[name] = min(quickest[name], _milliseconds(handler, secret))
    added = {name: round(quickest[""] - quickest[name], 4) for name in left_out}
    return {"bare_ms": round(quickest[PARTS_TOGETHER], 4), "added_ms": added}


def main() -> None:
    """For a process of the benchmark's own."""
    print(json.dumps(measure()))  # noqa: T201


def _handler_without(prefixes: tuple[str, ...]) -> Callable[..., Any]:
    with override_settings(MIDDLEWARE=[one for one in settings.MIDDLEWARE if not one.startswith(prefixes)]):
        return WSGIHandler()


@contextmanager
def _without_counters(*, is_wanted: bool) -> Iterator[None]:
    """Metrics are more than middleware: a counter of answers, and a timer of statements."""
    if not is_wanted:
        yield
        return
    everything = list(connection.execute_wrappers)
    connection.execute_wrappers[:] = [one for one in everything if one is not queries._time]
    try:
        with patch.object(counts, "count", lambda source: None):
            yield
    finally:
        connection.execute_wrappers[:] = everything


def _milliseconds(handler: Callable[..., Any], secret: str) -> float:
    """Of a request, on an average of a round. Raises ``RuntimeError`` for an answer other than 200."""
    statuses: list[str] = []
    started = time.perf_counter()
    for _ in range(_REQUESTS):
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": _PATH, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
            "REMOTE_ADDR": "127.0.0.1", "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
            "HTTP_AUTHORIZATION": f"Bearer {secret}",
        }  # fmt: skip
        response = handler(environ, lambda status, headers: statuses.append(status))
        response.close()
    taken = time.perf_counter() - started
    if set(statuses) != {"200 OK"}:
        raise RuntimeError(f"expected 200 OK, got {statuses}")
    return 1_000 * taken / _REQUESTS

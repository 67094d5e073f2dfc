"""What metrics cost a request that is answered from memory, measured against the same without them."""

import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as project
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import override_settings

from ops.monitoring import queries
from prompts.models import ApiKey, Prompt, User
from prompts.serving import counts

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS, REQUESTS = 120, 8  # short ones: in some of them nobody else needs the processor
MOST = 0.05  # milliseconds
WITHOUT = [name for name in project.MIDDLEWARE if "django_prometheus" not in name]


def ask(handler: WSGIHandler, path: str, secret: str) -> float:
    """Milliseconds of a request, on an average of many."""
    started = time.perf_counter()
    for _ in range(REQUESTS):
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
            "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http", "HTTP_AUTHORIZATION": f"Bearer {secret}",
        }  # fmt: skip
        status: list[Any] = []
        response = handler(environ, lambda line, headers, into=status: into.append(line))
        assert status == ["200 OK"]
        response.close()
    return 1_000 * (time.perf_counter() - started) / REQUESTS


def test_a_cached_prompt_costs_hardly_more_with_metrics(fake_embedder: None, monkeypatch: Any) -> None:
    user = User.objects.create(username="aoi", is_superuser=True)
    _, secret = ApiKey.issue(user, "reader", ["read"])
    Prompt(name="writing/resume", title="t", content="c", user=user).save()
    with_metrics = WSGIHandler()
    with override_settings(MIDDLEWARE=WITHOUT):
        without = WSGIHandler()

    def measured(handler: WSGIHandler, count: Callable[[str], None], wrappers: list[Any]) -> float:
        monkeypatch.setattr(counts, "count", count)
        connection.execute_wrappers[:] = wrappers
        return ask(handler, "/api/v1/prompts/writing/resume", secret)

    count, everything = counts.count, list(connection.execute_wrappers)
    bare = [wrapper for wrapper in everything if wrapper is not queries._time]
    assert len(bare) < len(everything)
    more, base = [], []
    for _ in range(ROUNDS):
        base.append(measured(without, lambda source: None, bare))
        more.append(measured(with_metrics, count, everything))
    # The quickest of each: what else the machine does only adds to the others.
    cost = min(more) - min(base)
    print(f"{min(base):.3f} ms without metrics, {cost:.4f} ms more: {100 * cost / min(base):.1f} %")
    assert cost < MOST

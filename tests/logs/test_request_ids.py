"""One id for all that a request causes: its answer, its lines, its changes, and its tasks in a worker."""

import json
import logging
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from afn_project.mcp_http import WithMcp
from ops import request_ids
from ops.request_ids import HEADER, RequestIdMiddleware
from tests.mcp_server.test_failures import pages, scope
from tests.processes import wait_for, worker
from tests.servers import redis_server
from tests.serving.conftest import Place, make_place


@pytest.mark.parametrize("given", ["a", "A-b_c.9", "x" * 64])
def test_the_id_of_whoever_asks_is_taken(client: Client, given: str) -> None:
    assert client.get("/health/live", headers={HEADER: given})[HEADER] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "ü", "<script>", "a\r\nb: c", "a,b"])
def test_what_is_none_is_replaced_by_a_new_one(client: Client, given: str) -> None:
    found = {client.get("/health/live", headers={HEADER: given})[HEADER] for _ in range(2)}
    assert len(found) == 2
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in found)


@pytest.mark.parametrize("path", ["/", "/api/v1/none", "/none", "/admin/"])
def test_every_answer_has_one(client: Client, db: None, path: str) -> None:
    assert client.get(path)[HEADER]


def test_a_failure_has_one_and_django_logs_it_with_that(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr("ops.views.JsonResponse", fail)
    client.raise_request_exception = False
    seen = _seen(caplog)
    answer = client.get("/health/live", headers={HEADER: "abc-1"})
    assert (answer.status_code, answer[HEADER]) == (500, "abc-1")
    client.get("/api/v1/none", headers={HEADER: "abc-2"})
    assert seen == [("django.request", "abc-1"), ("django.request", "abc-2")]
    assert request_ids.current() == ""


def _seen(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Loggers and the ids that were current when they wrote."""
    found: list[tuple[str, str]] = []

    def note(record: logging.LogRecord) -> bool:
        found.append((record.name, request_ids.current()))
        return True

    caplog.handler.addFilter(note)
    return found


@pytest.mark.django_db
def test_a_stream_has_its_id_until_its_end(rf: RequestFactory) -> None:
    def parts() -> Iterator[str]:
        yield request_ids.current()

    def view(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(parts())

    response = RequestIdMiddleware(view)(rf.get("/", headers={HEADER: "abc-3"}))
    assert list(response) == [b"abc-3"]
    response.close()  # Django's signal that the request is over
    assert request_ids.current() == ""


@pytest.mark.django_db
def test_a_second_request_does_not_get_the_first_ones(rf: RequestFactory) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request_ids.current())

    handle = RequestIdMiddleware(view)
    first, second = handle(rf.get("/", headers={HEADER: "abc-4"})), handle(rf.get("/"))
    assert first.content == b"abc-4"
    assert second.content.decode() == second[HEADER] != "abc-4"
    second.close()


async def test_mcp_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sent(**headers: str) -> dict[bytes, bytes]:
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        await WithMcp(pages)(scope("GET", **headers), receive, send)
        assert messages[0]["status"] == 405
        return dict(messages[0]["headers"])

    assert (await sent(**{"x-request-id": "abc-5"}))[b"x-request-id"] == b"abc-5"
    assert len((await sent(**{"x-request-id": "a b"}))[b"x-request-id"]) == 32
    assert request_ids.current() == ""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "redis").mkdir()
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server(tmp_path / "redis"))
        yield make_place(tmp_path, stack, REDIS_URL=redis.url, AFN_LOG_FORMAT="json")


def test_a_worker_logs_a_requests_tasks_with_its_id(place: Place, tmp_path: Path) -> None:
    """And a request with a secret leaves none in the site's log."""
    site = place.add_site(AFN_LOG_FILE=str(tmp_path / "afn.log"))
    body = {"name": "a", "title": "T", "content": "x"}
    with worker(tmp_path / "worker.log", place.variables):
        made = site.call("POST", "/prompts", body, **{HEADER: "from-a-test-1"})
        assert (made.status, made.headers[HEADER]) == (201, "from-a-test-1")

        def done() -> list[str]:
            lines = _json_lines(tmp_path / "worker.log")
            return [
                str(line["message"])
                for line in lines
                if line["request_id"] == "from-a-test-1" and "succeeded" in line["message"]
            ]

        assert wait_for(done, 30), (tmp_path / "worker.log").read_text()
    request = urllib.request.Request(
        f"{site.url}/api/v1/sk-afn-{'canary' * 6}?password=canary-canary", headers={HEADER: "from-a-test-2"}
    )
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(request)
    [line] = [one for one in _json_lines(tmp_path / "afn.log") if one["request_id"] == "from-a-test-2"]
    assert (line["level"], line["logger"]) == ("WARNING", "django.request")
    assert line["message"] == "Not Found: /api/v1/***"
    texts = [path.read_text() for path in tmp_path.glob("*.log")]
    assert len(texts) == 3
    assert [text for text in texts if place.key in text or "canarycanary" in text] == []


def _json_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines() if line.startswith("{")]

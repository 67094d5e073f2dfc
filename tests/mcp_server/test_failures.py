"""What goes wrong inside: said in general words, and logged in its own."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.asgi import ASGIRequest
from django.db import OperationalError
from mcp import Client, MCPError
from pytest_django.fixtures import Settings

from afn_project import replicas
from afn_project.libsql.errors import OutcomeUnknown, ServerUnreachable, WritesBlocked
from afn_project.mcp_callers import HttpCaller
from afn_project.mcp_errors import describe
from afn_project.mcp_http import WithMcp
from prompts.mcp_server import finding, tools
from prompts.mcp_server.server import build_server
from prompts.models import User
from vectors.permissions import READING

from .conftest import MODES

CANARY = "canary-password at /var/secret"
FAILURES: list[tuple[Exception, int, str]] = [
    (OperationalError(f"database is locked {CANARY}"), 503, "busy or out of reach"),
    (OperationalError(f"database or disk is full {CANARY}"), 507, "disk is full"),
    (RuntimeError(CANARY), 500, "Something went wrong here"),
    (KeyError(CANARY), 500, "Something went wrong here"),
]


class Anybody:
    def admit(self, permission: str) -> AnonymousUser:
        return AnonymousUser()


@asynccontextmanager
async def local(mode: str) -> AsyncIterator[Client]:
    async with Client(build_server(lambda context: Anybody(), describe), mode=mode) as client:
        yield client


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("error", "status", "text"), FAILURES)
async def test_a_failure_is_told_without_its_text(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    mode: str,
    error: Exception,
    status: int,
    text: str,
) -> None:
    def fail(*arguments: Any, **named: Any) -> Any:
        raise error

    monkeypatch.setattr(finding.reading, "read", fail)
    monkeypatch.setattr(finding, "execute", fail)
    caplog.set_level(logging.ERROR)
    async with local(mode) as client:
        for ask in (client.get_prompt("x"), client.list_prompts(), client.read_resource("afn://prompts/x")):
            with pytest.raises(MCPError) as caught:
                await ask
            assert caught.value.code == -32603
            assert caught.value.data["status"] == status
            assert text in caught.value.message
            assert CANARY not in str(caught.value.data)
        result = await client.call_tool("get_prompt", {"name": "x"})
        assert result.is_error
        assert result.structured_content["status"] == status
        assert CANARY not in result.model_dump_json()
    assert CANARY in caplog.text


def test_a_servers_failure_has_the_words_of_the_api() -> None:
    frozen = WritesBlocked("Moving until 5 pm")
    assert describe(frozen).status == 423
    assert "Moving until 5 pm" in describe(frozen).text
    for kind in (OutcomeUnknown, ServerUnreachable):
        failure = describe(kind(CANARY))
        assert failure.status == 503
        assert CANARY not in failure.text


async def test_a_result_that_fits_no_schema_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.reading, "as_json", lambda *arguments: {"name": CANARY})
    monkeypatch.setattr(tools.reading, "read", lambda *arguments, **named: tools.reading.Served)
    async with local("auto") as client:
        result = await client.call_tool("get_prompt", {"name": "x", "resolve": False})
    assert result.structured_content["status"] == 500
    assert CANARY not in result.model_dump_json()


def scope(method: str = "POST", **headers: str) -> dict[str, Any]:
    found = {"host": "localhost", **headers}
    return {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": "/mcp",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in found.items()],
    }


async def answer(application: WithMcp, of: dict[str, Any]) -> tuple[int, Any]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(of, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


async def pages(*arguments: Any) -> None:
    raise AssertionError("not for pages")


async def test_a_failure_before_the_protocol_is_told_without_its_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*arguments: Any) -> Any:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(HttpCaller, "admit", fail)
    status, body = await answer(WithMcp(pages), scope())
    assert (status, body["error"]["message"]) == (500, "Something went wrong here; the log says what.")


async def test_a_server_that_was_not_started_says_no_more_than_that(settings: Settings) -> None:
    settings.AFN_PUBLIC_READ = True
    status, body = await answer(WithMcp(pages), scope())
    assert (status, body["error"]["code"]) == (500, -32603)


async def test_no_key_goes_over_plain_http_where_there_is_https(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    status, body = await answer(WithMcp(pages), scope())
    assert status == 403
    assert "https://" in body["error"]["message"]
    status, _ = await answer(WithMcp(pages), scope(**{"x-forwarded-proto": "https"}))
    assert status == 401


def test_who_writes_reads_from_the_primary_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"DATABASES": {"default": {}, replicas.REPLICA: {}}, "AFN_READ_YOUR_WRITES": 5.0}
    monkeypatch.setattr(replicas, "settings", SimpleNamespace(**places))
    monkeypatch.setattr("afn_project.mcp_callers.AUTH", [lambda request: User(username="aoi")])
    for permission, is_writing in ((READING, False), ("prompts.add_evaluation", True)):
        request = ASGIRequest(scope(authorization=f"Bearer {permission}"), BytesIO())
        HttpCaller(request).admit(permission)
        assert replicas._has_written(replicas._session_key(request)) is is_writing


def test_a_token_of_clerk_counts_as_in_the_api(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CLERK_ISSUER = "https://example.clerk.accounts.dev"
    user = User(username="aoi")
    monkeypatch.setattr("afn_project.api_auth.clerk.user_of", lambda token: user)
    assert HttpCaller(ASGIRequest(scope(authorization="Bearer a.b.c"), BytesIO())).admit(READING) is user

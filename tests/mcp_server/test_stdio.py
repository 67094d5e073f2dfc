"""`manage.py mcp`: the protocol and nothing else on standard output."""

import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from tests.processes import MANAGE, clean_environment, manage
from tests.serving.conftest import Place, Site

from .conftest import MODES, add_key, make


@asynccontextmanager
async def started(place: Place, *arguments: str, mode: str = "auto") -> AsyncIterator[Client]:
    command, *first = [*MANAGE, "mcp", *arguments]
    environment = clean_environment(SECRET_KEY="k" * 50, **place.variables)
    async with Client(
        StdioServerParameters(command=command, args=first, env=environment), mode=mode
    ) as client:
        yield client


@pytest.mark.parametrize("mode", MODES)
async def test_it_serves_the_first_superuser(place: Place, site: Site, mode: str) -> None:
    name = "stdio/挨拶"
    if site.call("GET", "/prompts?prefix=stdio/").json["total"] == 0:
        make(site, name, "こんにちは、{{who}}")
    async with started(place, mode=mode) as client:
        found = await client.get_prompt(name, {"who": "Aoi"})
        assert found.messages[0].content.text == "こんにちは、Aoi"
        assert (await client.list_tools()).tools[0].name == "search_prompts"
        found = await client.call_tool("search_prompts", {"query": "挨拶", "k": 1})
        assert not found.is_error, found.content
        made = await client.call_tool("add_evaluation", {"name": name, "score": 1})
        assert not made.is_error, made.content


async def test_it_acts_for_a_named_user_with_their_permissions(place: Place, site: Site) -> None:
    add_key(place, "modest", "read")
    name = make(site, "stdio/modest", "Hello")
    async with started(place, "--user", "modest") as client:
        assert (await client.get_prompt(name)).messages[0].content.text == "Hello"
        result = await client.call_tool("add_evaluation", {"name": name, "score": 1})
        assert result.structured_content["status"] == 403
        place.sql("UPDATE users SET is_active = 0 WHERE username = 'modest'")
        result = await client.call_tool("add_evaluation", {"name": name, "score": 1})
        assert "closed" in result.content[0].text
    ended = manage("mcp", "--user", "modest", **place.variables)
    assert ended.returncode == 1
    assert "--user: expected an account that is open" in ended.stderr


def test_an_unknown_user_is_refused(place: Place) -> None:
    ended = manage("mcp", "--user", "nobody", **place.variables)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "--user: expected the name or e-mail of a user, got 'nobody'" in ended.stderr


def test_nothing_but_messages_is_printed(place: Place) -> None:
    """Even where what comes in is no message at all."""
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    sent: list[Any] = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        "{",
        "[" * 100_000,
        {"jsonrpc": "2.0", "id": 2, "method": "prompts/get", "params": {"name": "nobody"}},
        {"jsonrpc": "2.0", "id": 3, "method": "prompts/list"},
    ]
    lines = [one if isinstance(one, str) else json.dumps(one) for one in sent]
    with subprocess.Popen(
        [*MANAGE, "mcp"],
        env=clean_environment(SECRET_KEY="k" * 50, **place.variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("\n".join(lines) + "\n")
        process.stdin.flush()
        answers = []
        while {1, 2, 3} - {answer.get("id") for answer in answers}:
            answers.append(json.loads(process.stdout.readline()))
        rest, log = process.communicate(timeout=30)
    assert [json.loads(line)["jsonrpc"] for line in rest.splitlines()] in ([], ["2.0"])
    assert process.returncode == 0
    assert "Serving MCP for ada" in log
    by_id = {answer.get("id"): answer for answer in answers}
    assert by_id[2]["error"]["code"] == -32602
    assert "result" in by_id[3]

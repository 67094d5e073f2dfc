"""Who gets in: keys, hosts, origins, sizes; and bodies that nobody means well by."""

import asyncio
import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from mcp import MCPError

from prompts.mcp_server.threads import THREADS
from tests.processes import asgi_site
from tests.serving.conftest import Place, Site, soon

from .conftest import add_key, connected, make

ORIGIN = "https://app.example.org"
PING: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.fixture(scope="module")
def other(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that may be read by anybody, from a page too, and takes small bodies."""
    log = tmp_path_factory.mktemp("other") / "asgi.log"
    variables = {"AFN_PUBLIC_READ": "1", "AFN_CORS_ORIGINS": ORIGIN, "AFN_MAX_BODY_MB": "0.1"}
    with asgi_site(log, **place.variables | variables) as address:
        yield address
    assert "Traceback" not in log.read_text()


def post(url: str, body: Any = PING, method: str = "POST", **headers: str) -> tuple[int, dict[str, str], Any]:
    parts = urlsplit(url)
    sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)) as connection:
        connection.request(method, "/mcp", data, sent)
        with connection.getresponse() as answer:
            text = answer.read()
            found = {name.lower(): value for name, value in answer.getheaders()}
    is_json = found.get("content-type", "").startswith("application/json")
    return answer.status, found, json.loads(text) if is_json and text else text.decode()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_without_a_key_nobody_gets_in(url: str) -> None:
    status, headers, body = post(url)
    assert status == 401
    assert headers["www-authenticate"].startswith("Bearer")
    assert body["error"]["message"] == "Send an API key: Authorization: Bearer <secret>."
    assert body["id"] is None


@pytest.mark.parametrize("value", ["Bearer nonsense", "Bearer ", "Basic eDp5", "Digest x", "Bearer a.b.c"])
def test_credentials_that_are_wrong_count_even_where_reading_is_public(
    url: str, other: str, value: str
) -> None:
    for address in (url, other):
        status, headers, _ = post(address, Authorization=value)
        assert (status, "www-authenticate" in headers) == (401, True)


def test_a_key_works_as_bearer_and_as_a_pair(place: Place, url: str) -> None:
    assert post(url, **bearer(place.key))[0] == 200


def test_a_revoked_key_is_refused(place: Place, url: str) -> None:
    key = add_key(place, "leaver", "read")
    assert post(url, **bearer(key))[0] == 200
    leaver = "(SELECT id FROM users WHERE username = 'leaver')"
    place.sql(f"UPDATE api_keys SET revoked_at = '2026-01-01' WHERE user_id = {leaver}")
    # Other processes know a key that was used for some seconds.
    assert soon(lambda: all(post(url, **bearer(key))[0] == 401 for _ in range(10)), 20)
    assert key not in json.dumps(post(url, **bearer(key))[2])


def test_a_key_without_the_scope_read_is_refused(place: Place, url: str) -> None:
    status, _, body = post(url, **bearer(add_key(place, "writer", "write")))
    assert status == 403
    assert "'read'" in body["error"]["message"]


async def test_the_client_shows_the_reason(url: str) -> None:
    with pytest.raises((MCPError, BaseExceptionGroup)) as caught:
        async with connected(url, "nonsense", mode="legacy"):
            pass
    assert "unknown, revoked or expired" in _text(caught.value)


def _text(error: BaseException) -> str:
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return " ".join([str(error), *map(_text, inner)])


async def test_where_reading_is_public_nobody_writes_without_a_key(other: str, site: Site) -> None:
    name = make(site, "access/public", "Hello")
    async with connected(other) as client:
        assert (await client.get_prompt(name)).messages[0].content.text == "Hello"
        result = await client.call_tool("add_evaluation", {"name": name, "score": 0.5})
        assert result.is_error
        assert result.structured_content["status"] == 401


@pytest.mark.parametrize("host", ["evil.example.org", "evil.example.org:8000", "127.0.0.1.nip.io", "[", ""])
def test_a_strange_host_is_refused(url: str, place: Place, host: str) -> None:
    status, _, body = post(url, Host=host, **bearer(place.key))
    assert status in (400, 421)
    assert status == 400 or "ALLOWED_HOSTS" in body["error"]["message"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example.org", "null", "http://127.0.0.1", "http://localhost:3000"]
)
def test_a_strange_origin_is_refused(url: str, other: str, place: Place, origin: str) -> None:
    for address in (url, other):
        status, headers, _ = post(address, Origin=origin, **bearer(place.key))
        assert status == 403
        assert "access-control-allow-origin" not in headers


def test_a_page_of_a_known_origin_may_call(other: str) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    asked |= {"Access-Control-Request-Headers": "authorization,content-type,mcp-protocol-version"}
    status, headers, _ = post(other, b"", "OPTIONS", **asked)
    assert (status, headers["access-control-allow-origin"]) == (200, ORIGIN)
    status, headers, _ = post(other, Origin=ORIGIN)
    assert (status, headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD", "OPTIONS"])
def test_nothing_but_post_is_taken(url: str, place: Place, method: str) -> None:
    status, headers, _ = post(url, b"", method, **bearer(place.key))
    assert (status, headers["allow"]) == (405, "POST")


def test_a_body_that_is_too_large_is_refused(other: str, place: Place) -> None:
    for credentials in ({}, bearer(place.key)):
        assert post(other, b" " * 150_000, **credentials)[0] == 413
        assert post(other, json.dumps(PING).encode() + b" " * 90_000, **credentials)[0] == 200


def test_a_refused_body_is_read_all_the_same(url: str) -> None:
    """So that no proxy sees the connection close before it sees the answer."""
    for _ in range(20):
        assert post(url, b" " * 900_000)[0] == 401


def request(method: str, params: bytes) -> bytes:
    return b'{"jsonrpc": "2.0", "id": 1, "method": "%s", "params": %s}' % (method.encode(), params)


HOSTILE = {
    "nothing": b"",
    "no JSON": b"{",
    "no UTF-8": b'{"jsonrpc": "2.0", "id": 1, "method": "\xff"}',
    "a list": b"[]",
    "a batch": json.dumps([PING, PING]).encode(),
    "a number": b"1",
    "null": b"null",
    "no method": b'{"jsonrpc": "2.0", "id": 1}',
    "another version": b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}',
    "surrogate id": b'{"jsonrpc": "2.0", "id": "\\ud800", "method": "admin/shutdown"}',
    "unknown method": request("admin/shutdown", b"{}"),
    "deep": request("tools/call", b"[" * 50_000),
    "deep arguments": request(
        "tools/call", b'{"name": "get_prompt", "arguments": {"name": %s%s}}' % (b"[" * 900, b"]" * 900)
    ),
    "long number": request("prompts/list", b'{"cursor": %s}' % (b"9" * 50_000)),
    "NaN": request("tools/call", b'{"name": "add_evaluation", "arguments": {"name": "x", "score": NaN}}'),
    "lone surrogate": request("prompts/get", b'{"name": "\\ud800"}'),
    "surrogate argument": request(
        "prompts/get", b'{"name": "access/hostile", "arguments": {"\\ud800": "\\udfff"}}'
    ),
    "surrogate tool": request("tools/call", b'{"name": "\\ud800"}'),
    "surrogate in a tool": request(
        "tools/call", b'{"name": "search_prompts", "arguments": {"query": "\\ud800", "\\ud800": 1}}'
    ),
    "surrogate cursor": request("prompts/list", b'{"cursor": "\\ud800"}'),
    "surrogate resource": request("resources/read", b'{"uri": "afn://prompts/\\ud800"}'),
    "NUL": request("prompts/get", b'{"name": "a\\u0000b"}'),
    "arguments of other types": request(
        "prompts/get", b'{"name": "access/hostile", "arguments": {"x": {"y": 1}}}'
    ),
    "private member": request("tools/call", b'{"name": "__class__"}'),
}


@pytest.mark.parametrize("version", ["", "2025-11-25", "2026-07-28", "2099-01-01", "x"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_answered_and_tells_nothing(
    url: str, place: Place, site: Site, name: str, version: str
) -> None:
    if site.get("/prompts/access/hostile").status == 404:
        make(site, "access/hostile", "Hello {{who}}")
    headers = {"MCP_Protocol_Version": version} if version else {}
    status, _, body = post(url, _enveloped(HOSTILE[name], version), **bearer(place.key), **headers)
    assert status < 500, body
    text = body if isinstance(body, str) else json.dumps(body)
    assert "Traceback" not in text
    assert "site-packages" not in text
    if status == 200:
        assert "error" in body or body["result"]["isError"]
    assert post(url, **bearer(place.key))[0] == 200


def _enveloped(body: bytes, version: str) -> bytes:
    """What the newest protocol asks of a request, so that it gets as far as the rest."""
    meta = (
        b'"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", '
        b'"io.modelcontextprotocol/clientCapabilities": {}}'
    )
    return body.replace(b'"params": {', b'"params": {' + meta + b", ", 1) if version == "2026-07-28" else body


def test_the_pages_are_there_as_well(url: str, place: Place, site: Site) -> None:
    both = [Site(url, place.key).get("/prompts?limit=1"), site.get("/prompts?limit=1")]
    assert both[0].status == both[1].status == 200
    assert Site(url, "nonsense").get("/prompts").status == 401
    assert Site(url, place.key).get("/nothing").status == 404


def handles(place: Place) -> int:
    """How often the ASGI processes have the database open."""
    database = place.variables["AFN_DATABASE_FILE"]
    return sum(
        1
        for process in psutil.Process().children(recursive=True)
        if "afn_project.asgi:application" in process.cmdline()
        for file in process.open_files()
        if file.path == database
    )


def test_connections_do_not_pile_up(url: str, place: Place, site: Site) -> None:
    name = make(site, "access/handles", "Hello")
    body = {**PING, "method": "prompts/get", "params": {"name": name}}

    def ask(number: int) -> int:
        if number % 2:
            return Site(url, place.key).get(f"/prompts/{name}/versions").status
        return post(url, body, **bearer(place.key))[0]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(200))) == {200}
    # Two workers and perhaps another site, each with as many threads for MCP.
    assert 0 < handles(place) <= 3 * (THREADS + 2)


async def test_many_clients_at_once(url: str, place: Place, site: Site) -> None:
    name = make(site, "access/many", "Hello {{who}}")

    async def work(number: int) -> None:
        async with connected(url, place.key, mode="legacy" if number % 2 else "auto") as client:
            for turn in range(5):
                found = await client.get_prompt(name, {"who": f"{number}.{turn}"})
                assert found.messages[0].content.text == f"Hello {number}.{turn}"
                made = await client.call_tool(
                    "add_evaluation", {"name": name, "score": 0.5, "item": f"{number}.{turn}"}
                )
                assert not made.is_error, made.content
                await client.list_prompts()

    await asyncio.gather(*(work(number) for number in range(24)))
    assert site.get(f"/prompts/{name}/evaluations?limit=1").json["total"] == 120

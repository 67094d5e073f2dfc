"""A database file with AFN's two web servers on it, and clients of MCP that call one of them."""

import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from prompts.models.api_key import hash_secret
from tests.processes import asgi_site
from tests.serving.conftest import Place, Site, make_place

Connect = Callable[..., AbstractAsyncContextManager[Client]]
MODES = ["auto", "legacy"]  # the protocol of 2026-07-28, which has no handshake, and the ones before


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        yield make_place(tmp_path_factory.mktemp("mcp"), stack, AFN_WRONG_KEY_LIMIT="off")


@pytest.fixture(scope="session")
def site(place: Place) -> Site:
    """The WSGI application, as applications call it."""
    return place.add_site()


@pytest.fixture(scope="session")
def url(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The ASGI application in two workers."""
    log = tmp_path_factory.mktemp("asgi") / "asgi.log"
    with asgi_site(log, workers=2, **place.variables) as address:
        yield address
    text = log.read_text()
    assert "Traceback" not in text, text


@asynccontextmanager
async def connected(url: str, key: str = "", mode: str = "auto", **headers: str) -> AsyncIterator[Client]:
    headers |= {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.fixture(params=MODES)
def connect(request: pytest.FixtureRequest, url: str, place: Place) -> Connect:
    """A client with the key of a superuser, in each era of the protocol."""
    return lambda **options: connected(url, **{"key": place.key, "mode": request.param, **options})


def make(site: Site, name: str, content: Any, **values: Any) -> str:
    """A prompt; its name."""
    made = site.call("POST", "/prompts", {"name": name, "title": f"T {name}", "content": content, **values})
    assert made.status == 201, made.body
    return name


def add_key(place: Place, username: str, *scopes: str) -> str:
    """A key of somebody without any permission."""
    secret = f"sk-afn-{secrets.token_hex(8)}"
    place.sql(
        "INSERT OR IGNORE INTO users (username, email) VALUES (?, ?)", username, f"{username}@example.org"
    )
    place.sql(
        "INSERT INTO api_keys (user_id, name, public_key, secret_hash, scopes) "
        "SELECT id, 'test', ?, ?, ? FROM users WHERE username = ?",
        secrets.token_hex(8),
        hash_secret(secret),
        json.dumps(scopes),
        username,
    )
    return secret

"""The database is out of reach: what was served last is served on, and says so."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.sqld import Sqld, company_sqld

from .conftest import Place, make_place, soon

NEW = {"name": "one", "title": "One", "content": "Hello {{name}}"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sqld]:
    with company_sqld(tmp_path / "sqld") as running:
        yield running


@pytest.fixture
def remote(tmp_path: Path, server: Sqld) -> Iterator[Place]:
    with ExitStack() as stack:
        yield make_place(
            tmp_path, stack, TURSO_DATABASE_URL=server.create("main"), TURSO_AUTH_TOKEN=server.token(),
            AFN_SERVER_TIMEOUT="2",
        )  # fmt: skip


@pytest.mark.sqld
def test_what_was_served_last_is_served_on(remote: Place, server: Sqld) -> None:
    site = remote.add_site()
    site.call("POST", "/prompts", NEW)
    assert site.get("/prompts/one").status == 200
    server.stop()
    stale = site.get("/prompts/one")
    assert (stale.status, stale.source, stale.headers["X-AFN-Stale"]) == (200, "stale", "true")
    assert stale.json["content"] == "Hello {{name}}"
    assert site.get("/prompts/other").status == 503
    site.key = "sk-afn-unknown"
    assert site.get("/prompts/one").status in (401, 503)
    site.key = remote.key
    server.start()
    assert soon(lambda: site.get("/prompts/one").source in ("miss", "memory"), 20)
    assert "X-AFN-Stale" not in site.get("/prompts/one").headers

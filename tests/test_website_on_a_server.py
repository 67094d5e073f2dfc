"""The web site on a libSQL server: what it reads from a replica, and what users see when it cannot write."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from .processes import manage, website
from .sqld import Sqld, company_sqld, sqld_replica

PASSWORD = "canary-password"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqld]:
    with company_sqld(tmp_path_factory.mktemp("primary")) as running:
        yield running


@pytest.fixture(scope="module")
def variables(server: Sqld) -> dict[str, str]:
    return {
        "ENVIRONMENT": "production",
        "ALLOWED_HOSTS": "127.0.0.1",
        "TURSO_DATABASE_URL": server.create("main"),
        "TURSO_AUTH_TOKEN": server.token(),
        "AFN_READ_YOUR_WRITES": "2",
    }


@pytest.fixture(scope="module")
def key(variables: dict[str, str]) -> str:
    """The secret of an API key that may write; with it the tables and a superuser are made."""
    user = ["--noinput", "--username", "ada", "--email", "ada@example.org"]
    assert manage("init_db", **variables).returncode == 0
    assert manage("createsuperuser", *user, DJANGO_SUPERUSER_PASSWORD=PASSWORD, **variables).returncode == 0
    made = manage("create_api_key", "--name", "test", "--scopes", "read,write", "--json", **variables)
    return str(json.loads(made.stdout)["secret_key"])


@pytest.fixture(scope="module")
def old(server: Sqld, key: str) -> str:
    """What the site is told is a replica: a copy that never changes, as one that is far behind."""
    server.admin("POST", "namespaces/main/fork/old", {})
    return server.name("old")


def call(url: str, key: str = "", body: Any = None, **headers: str) -> tuple[int, Any]:
    """Status and JSON (or text) of the answer."""
    if key:
        headers["Authorization"] = f"Bearer {key}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, text = response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    return status, json.loads(text) if text.startswith(("{", "[")) else text


def titles(site: str, key: str) -> list[str]:
    status, page = call(f"{site}/api/v1/prompts", key)
    assert status == 200
    return [prompt["title"] for prompt in page["items"]]


def write(site: str, key: str, title: str) -> tuple[int, Any]:
    text = f"Text of {title}"
    return call(f"{site}/api/v1/prompts", key, {"name": title, "title": title, "content": text})


def test_who_only_reads_reads_the_replica_and_who_wrote_the_primary(
    tmp_path: Path, variables: dict[str, str], key: str, old: str
) -> None:
    made = manage("create_api_key", "--name", "other", "--json", **variables)
    other = json.loads(made.stdout)["secret_key"]
    with website(tmp_path / "log", TURSO_REPLICA_URL=old, **variables) as site:
        assert titles(site, key) == []
        assert write(site, key, "Fresh")[0] == 201
        assert titles(site, key) == ["Fresh"]
        assert call(f"{site}/api/v1/prompts", other)[0] == 401  # the replica does not know the key yet
        time.sleep(2.5)
        assert titles(site, key) == []


def sign_in(site: str) -> urllib.request.OpenerDirector:
    """A browser that has signed in to the console."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = browser.open(f"{site}/admin/login/", timeout=30).read().decode()
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[:1]
    form = {"username": "ada", "password": PASSWORD, "csrfmiddlewaretoken": token, "next": "/admin/"}
    answer = browser.open(f"{site}/admin/login/", urlencode(form).encode(), timeout=30)
    assert answer.url.endswith("/admin/")
    return browser


def test_a_browser_stays_with_the_primary_for_a_while_after_it_signed_in(
    tmp_path: Path, variables: dict[str, str], key: str, old: str
) -> None:
    with website(tmp_path / "log", TURSO_REPLICA_URL=old, **variables) as site:
        browser = sign_in(site)  # its session is on the primary only
        with browser.open(f"{site}/admin/prompts/prompt/", timeout=30) as page:
            assert "/login/" not in page.url
        time.sleep(3.5)
        with browser.open(f"{site}/admin/prompts/prompt/", timeout=30) as page:
            assert "/login/" in page.url  # this "replica" will never hear of the session


def test_with_the_primary_dead_reading_goes_on_and_writing_fails_soon(
    tmp_path: Path, variables: dict[str, str], key: str
) -> None:
    with company_sqld(tmp_path / "primary") as primary:
        variables = variables | {
            "TURSO_DATABASE_URL": primary.create("main"),
            "TURSO_AUTH_TOKEN": primary.token(),
        }
        user = ["--noinput", "--username", "ada", "--email", "ada@example.org"]
        assert manage("init_db", **variables).returncode == 0
        assert manage("createsuperuser", *user, **variables).returncode == 0
        made = manage("create_api_key", "--name", "test", "--scopes", "read,write", "--json", **variables)
        key = json.loads(made.stdout)["secret_key"]
        with (
            sqld_replica(tmp_path / "copy", primary) as copy,
            website(tmp_path / "log", TURSO_REPLICA_URL=copy.name("main"), **variables) as site,
        ):
            assert write(site, key, "Kept")[0] == 201
            time.sleep(2.5)
            assert titles(site, key) == ["Kept"]
            primary.kill()
            assert titles(site, key) == ["Kept"]
            started = time.monotonic()
            status, answer = write(site, key, "Lost")
            assert time.monotonic() - started < 3
            assert (status, answer["detail"]) == (
                503,
                "The database is out of reach, nothing was changed. Try again.",
            )
            assert titles(site, key) == ["Kept"]
            primary.start()
            assert write(site, key, "Later")[0] == 201
            assert set(titles(site, key)) == {"Kept", "Later"}


def test_a_frozen_database_is_read_and_whoever_writes_sees_the_reason(
    tmp_path: Path, server: Sqld, variables: dict[str, str], key: str
) -> None:
    reason = "we move to a <b>new</b> server until 5 pm; 引越し中"
    with website(tmp_path / "log", **variables) as site:
        assert write(site, key, "Before")[0] == 201
        server.freeze("main", reason)
        try:
            assert "Before" in titles(site, key)
            status, answer = write(site, key, "During")
            assert status == 423
            assert answer["detail"].endswith(reason)
            with pytest.raises(urllib.error.HTTPError) as caught:
                sign_in(site)
            assert caught.value.code == 423
            page = caught.value.read().decode()
            assert "we move to a &lt;b&gt;new&lt;/b&gt; server until 5 pm; 引越し中" in page
        finally:
            server.freeze("main", None)
        assert write(site, key, "After")[0] == 201
        assert {"Before", "After"} <= set(titles(site, key))
        assert "During" not in titles(site, key)


def test_a_server_out_of_reach_is_said_to_pages_and_programs(
    tmp_path: Path, variables: dict[str, str], key: str
) -> None:
    session = "sessionid=abcdefgh12345678abcdefgh12345678"
    with (
        company_sqld(tmp_path / "primary") as primary,
        website(tmp_path / "log", **variables | {"TURSO_DATABASE_URL": primary.create("main")}) as site,
    ):
        primary.kill()
        status, page = call(f"{site}/admin/prompts/prompt/", Cookie=session)
        assert (status, "The database is out of reach" in page) == (503, True)
        status, answer = call(f"{site}/api/v1/prompts", key)
        assert (status, list(answer)) == (503, ["detail"])
        assert call(f"{site}/health/database")[0] == 503
        assert call(f"{site}/health/live")[0] == 200

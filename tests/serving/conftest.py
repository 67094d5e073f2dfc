"""Web sites as processes of their own, on one database, with or without a Redis that they share."""

import atexit
import json
import shutil
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import quote

import pytest

from tests.processes import manage, website
from tests.servers import Server, redis_server

V1 = "/api/v1"


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def source(self) -> str:
        """Where the answer came from: memory, shared, miss or stale."""
        return str(self.headers.get("X-AFN-Cache", ""))


@dataclass
class Site:
    url: str
    key: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"} | headers
        address = self.url + V1 + quote(path, safe="/?=&|%")
        request = urllib.request.Request(address, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, **headers)

    def content(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status == 200, answer.body
        return str(answer.json["content"])


@dataclass
class Place:
    """One database, and sites on it."""

    folder: Path
    variables: dict[str, str]
    stack: ExitStack
    key: str = ""
    redis: Server | None = None
    sites: list[Site] = field(default_factory=list)

    def add_site(self, **variables: str) -> Site:
        log = self.folder / f"site-{len(self.sites)}.log"
        url = self.stack.enter_context(website(log, **self.variables | variables))
        self.sites.append(Site(url, self.key))
        return self.sites[-1]

    def make_key(self, scopes: str = "read,write") -> str:
        made = manage("create_api_key", "--name", "test", "--scopes", scopes, "--json", **self.variables)
        return str(json.loads(made.stdout)["secret_key"])

    def sql(self, statement: str, *values: Any) -> None:
        """As somebody with the file in hand: no line of AFN's code runs."""
        connection = sqlite3.connect(self.folder / "afn.db", timeout=10)
        with connection:
            connection.execute(statement, values)
        connection.close()


def make_place(folder: Path, stack: ExitStack, **variables: str) -> Place:
    variables = {"ALLOWED_HOSTS": "127.0.0.1", "AFN_DATABASE_FILE": str(folder / "afn.db")} | variables
    place = Place(folder, variables, stack)
    if "TURSO_DATABASE_URL" not in variables:
        shutil.copy(_template(), folder / "afn.db")
        place.key = _key
        return place
    place.key = _set_up(variables)
    return place


_key = ""


@cache
def _template() -> Path:
    """A database with tables, a user and a key, made once and copied: a process for each takes its time."""
    global _key
    folder = Path(mkdtemp(prefix="afn-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "afn.db"
    _key = _set_up({"AFN_DATABASE_FILE": str(file)})
    return file


def _set_up(variables: dict[str, str]) -> str:
    """Tables, a superuser and a key of his; its secret."""
    user = ["--noinput", "--username", "ada", "--email", "ada@example.org"]
    assert manage("migrate", "--verbosity", "0", **variables).returncode == 0
    made = manage("createsuperuser", *user, DJANGO_SUPERUSER_PASSWORD="canary-password", **variables)
    assert made.returncode == 0, made.stderr
    issued = manage("create_api_key", "--name", "test", "--scopes", "read,write", "--json", **variables)
    return str(json.loads(issued.stdout)["secret_key"])


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Place]:
    """A database without Redis."""
    with ExitStack() as stack:
        yield make_place(tmp_path, stack)


@pytest.fixture
def together(tmp_path: Path) -> Iterator[Place]:
    """A database and a Redis."""
    with ExitStack() as stack:
        (tmp_path / "redis").mkdir()
        redis = stack.enter_context(redis_server(tmp_path / "redis"))
        place = make_place(tmp_path, stack, REDIS_URL=redis.url)
        place.redis = redis
        yield place


def soon(check: Callable[[], Any], seconds: float) -> bool:
    """Whether it comes true within so many seconds."""
    end = time.monotonic() + seconds
    while not (found := bool(check())) and time.monotonic() < end:
        time.sleep(0.05)
    return found

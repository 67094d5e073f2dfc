"""Two web servers on one database and one Redis: one is written to, clients listen at the other."""

import http.client
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.processes import asgi_site
from tests.servers import redis_server
from tests.serving.conftest import Place, Site, make_place

APPLICATION = "tests.ops.realtime.quick_asgi:application"
SHORT: dict[str, Any] = {"open_timeout": 20, "close_timeout": 2, "max_size": 2**20}


class Listener:
    """A client of `/ws` and what it has heard, without signs of life."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.hello = self.next()
        assert self.hello["type"] == "hello"
        self.last_id = self.hello["id"]

    def receive(self, seconds: float = 20) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.socket.recv(timeout=seconds))
        self.last_id = message.get("id") or getattr(self, "last_id", "")
        return message

    def next(self, seconds: float = 20) -> dict[str, Any]:
        while (message := self.receive(seconds))["type"] == "ping":
            pass
        return message

    def names(self, count: int) -> list[str]:
        """Of the prompts of the next events."""
        return [self.next()["data"]["prompt"]["name"] for _ in range(count)]

    def ask(self, **message: Any) -> dict[str, Any]:
        self.socket.send(json.dumps(message))
        return self.next()


@contextmanager
def listening(url: str, key: str = "", query: str = "", **options: Any) -> Iterator[Listener]:
    address = f"{url.replace('http', 'ws', 1)}/ws{query and '?'}{query}"
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    headers |= options.pop("headers", {})
    with connect(address, additional_headers=headers, **SHORT | options) as socket:
        yield Listener(socket)


@dataclass
class Streamed:
    """A client of `/events`."""

    answer: http.client.HTTPResponse

    def block(self) -> dict[str, str]:
        """The next event of any kind, by its fields; comments are under an empty name."""
        fields: dict[str, str] = {}
        while (line := self.answer.readline().decode().rstrip("\n")) or not fields:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        return fields

    def next(self) -> dict[str, Any]:
        while "data" not in (fields := self.block()):
            pass
        return {**json.loads(fields["data"]), "event": fields.get("event", "message")}


@contextmanager
def streaming(url: str, path: str = "/events", **headers: str) -> Iterator[Streamed]:
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        connection.request(
            "GET", path, headers={name.replace("_", "-"): one for name, one in headers.items()}
        )
        with connection.getresponse() as answer:
            assert answer.status == 200, answer.read()
            yield Streamed(answer)


def save(site: Site, name: str) -> None:
    body = {"name": name, "title": name, "content": f"canary of {name}"}
    answer = site.call("POST", "/prompts", body)
    assert answer.status == 201, answer.body


@dataclass
class Pair:
    """`site` is written to, at `url` clients listen."""

    place: Place
    site: Site
    url: str

    @property
    def key(self) -> str:
        return self.place.key

    def listening(self, query: str = "", **options: Any) -> AbstractContextManager[Listener]:
        return listening(self.url, self.key, query, **options)


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("realtime")
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server(folder))
        variables = {"AFN_WRONG_KEY_LIMIT": "off", "AFN_REALTIME_CLIENTS_PER_USER": "300"}
        place = make_place(folder, stack, REDIS_URL=redis.url, **variables)
        place.redis = redis
        site, log = place.add_site(), folder / "asgi.log"
        url = stack.enter_context(asgi_site(log, application=APPLICATION, **place.variables))
        yield Pair(place, site, url)
        assert "Traceback" not in log.read_text(), log.read_text()

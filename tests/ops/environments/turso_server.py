"""A stand-in of Turso: its Platform API on loopback, and its databases as namespaces of a real libSQL server.

Every request is checked against the published shapes; one that does not fit is answered with 400 and ends
the test with a failure.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.servers import HOST
from tests.sqld import Sqld
from tests.stub_http import StubHandler

from .turso_shapes import OPERATIONS, Operation

API_TOKEN = "canary-turso-api-token"
ORGANIZATION = "acme"
LOCATIONS = {"aws-eu-west-1": "AWS EU West (Ireland)", "aws-us-east-1": "AWS US East (Virginia)"}
Reply = Callable[["Handler"], None]


class Handler(StubHandler):
    server: "Turso"

    def handle_method(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.lock:
            self.server.requests.append(f"{self.command} {self.path}")
            scripted = self.server.script.pop(0) if self.server.script else None
        parts = urlsplit(self.path)
        found = [
            (operation, match)
            for operation in OPERATIONS
            if operation.method == self.command and (match := re.fullmatch(operation.path, parts.path))
        ]
        problem, body = "no such operation", None
        if found:
            try:
                body = json.loads(content) if content else None
                problem = found[0][0].problem(parse_qsl(parts.query, keep_blank_values=True), body)
            except ValueError:
                problem = "no JSON"
            if content and self.headers.get("Content-Type") != "application/json":
                problem = problem or "a body of another type"
        if problem:
            self.server.violations.append(f"{self.command} {self.path}: {problem}")
            return self.send(400, {"error": problem})
        if scripted:
            return scripted(self)
        if self.headers.get("Authorization") != f"Bearer {API_TOKEN}":
            return self.send(401, {"error": f"token {self.headers.get('Authorization')} is invalid"})
        operation, match = found[0]
        with self.server.lock:
            status, answer = self.server.answer(
                operation, list(match.groups()), dict(parse_qsl(parts.query)), body
            )
        self.send(status, answer)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_method


class DatabaseHandler(Handler):
    """One database's host: passes requests on to its namespace."""

    protocol_version = "HTTP/1.1"  # connections are kept, as by Turso
    server: "DatabaseServer"  # type: ignore[assignment]

    def handle_method(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.lock:
            self.server.refusals -= 1
            if self.server.refusals >= 0:
                return self.send(503, {"error": "the database is being made"})
        host, _, port = urlsplit(self.server.sqld.url).netloc.partition(":")
        connection = HTTPConnection(host, int(port), timeout=10)
        kept = {name: self.headers[name] for name in ("Authorization", "Content-Type") if self.headers[name]}
        connection.request(
            self.command, self.path, content, {**kept, "Host": f"{self.server.namespace}.sqld.test"}
        )
        response = connection.getresponse()
        self.send(response.status, response.read())
        connection.close()

    do_GET = do_POST = handle_method


class Listening(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, handler: type[Handler]) -> None:
        super().__init__((HOST, 0), handler)
        self.lock = threading.RLock()

    @property
    def address(self) -> str:
        return f"{HOST}:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        return  # a client that gave up is what some tests are about

    @contextmanager
    def serving(self) -> Iterator[None]:
        thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class DatabaseServer(Listening):
    def __init__(self, sqld: Sqld, namespace: str, refusals: int) -> None:
        super().__init__(DatabaseHandler)
        self.sqld, self.namespace, self.refusals = sqld, namespace, refusals


class Turso(Listening):
    """``script`` holds answers to be given instead of the usual ones, one a request; None is the usual one.

    The host of a new database refuses ``refusals`` requests. ``copies`` are the fields of the configuration
    that a branch takes over. Lists have ``page_size`` databases a page.
    """

    def __init__(self, sqld: Sqld | None = None) -> None:
        super().__init__(Handler)
        self.sqld = sqld
        self.script: list[Reply | None] = []
        self.requests: list[str] = []
        self.violations: list[str] = []
        self.released = threading.Event()
        self.databases: dict[str, dict[str, Any]] = {}
        self.refusals = 0
        self.copies: tuple[str, ...] = ()
        self.page_size = 1000
        self.hosts = ExitStack()

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def add(self, name: str, group: str = "default", seed: str = "", **fields: Any) -> dict[str, Any]:
        """Make a database; a branch of `seed`, if it is given."""
        hostname = f"{name}-{ORGANIZATION}.aws-eu-west-1.turso.io"
        if self.sqld:
            self.sqld.admin("POST", f"namespaces/{f'{seed}/fork/{name}' if seed else f'{name}/create'}", {})
            host = DatabaseServer(self.sqld, name, self.refusals)
            self.hosts.enter_context(host.serving())
            hostname = host.address
        self.databases[name] = {
            "Name": name,
            "DbId": f"0eb771dd-6906-11ee-8553-{len(self.databases):012x}",
            "Hostname": hostname,
            "block_reads": False,
            "block_writes": False,
            "regions": ["aws-eu-west-1"],
            "primaryRegion": "aws-eu-west-1",
            "group": group,
            "delete_protection": False,
            "parent": None,
            **fields,
        }
        return self.databases[name]

    def answer(
        self, operation: Operation, parameters: list[str], query: dict[str, str], body: Any
    ) -> tuple[int, Any]:
        if operation.page == "locations/list":
            return 200, {"locations": LOCATIONS}
        if parameters[0] != ORGANIZATION:
            return 404, {"error": "organization not found"}
        if operation.page == "groups/list":
            groups = sorted({"default"} | {database["group"] for database in self.databases.values()})
            return 200, {"groups": [{"name": name, "primary": "aws-eu-west-1"} for name in groups]}
        if operation.page == "databases/list":
            return 200, self._page(query)
        if operation.page == "databases/create":
            return self._create(body)
        database = self.databases.get(parameters[1])
        if database is None:
            return 404, {"error": f"could not find database with name {parameters[1]}: record not found"}
        match operation.page:
            case "databases/delete":
                return self._delete(database)
            case "databases/update-configuration":
                database |= body
                if self.sqld and "block_writes" in body:
                    self.sqld.freeze(database["Name"], "writes" if body["block_writes"] else None)
                kept = ("block_reads", "block_writes", "delete_protection")
                return 200, {name: database[name] for name in kept}
            case _:
                return 200, {"jwt": self._token(database["Name"], query)}

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        there = [one for one in self.databases.values() if query.get("group") in (None, one["group"])]
        start = int(query.get("cursor", 0))
        stop = start + self.page_size
        rest = {"pagination": {"next": str(stop)}} if stop < len(there) else {}
        return {"databases": there[start:stop], **rest}

    def _create(self, body: dict[str, Any]) -> tuple[int, Any]:
        name, seed = body["name"], body.get("seed", {}).get("name", "")
        if name in self.databases:
            return 409, {"error": f"database with name {name} already exists"}
        if all(database["group"] != body["group"] for database in self.databases.values()):
            return 400, {"error": "group not found"}
        if seed and seed not in self.databases:
            return 404, {"error": f"could not find database with name {seed}: record not found"}
        more: dict[str, Any] = {}
        if seed:
            source = self.databases[seed]
            more = {field: source[field] for field in self.copies}
            more["parent"] = {
                "id": source["DbId"],
                "name": seed,
                "branched_at": "2025-04-15T13:14:34.468213117Z",
            }
        made = self.add(name, body["group"], seed, **more)
        return 200, {"database": {key: made[key] for key in ("DbId", "Hostname", "Name")}}

    def _delete(self, database: dict[str, Any]) -> tuple[int, Any]:
        if database["delete_protection"]:
            return 403, {"error": "database is protected from deletion"}
        if self.sqld:
            self.sqld.delete(database["Name"])
        del self.databases[database["Name"]]
        return 200, {"database": database["Name"]}

    def _token(self, name: str, query: dict[str, str]) -> str:
        if not self.sqld:
            return f"canary-jwt-of-{name}"
        seconds = dict(zip("wdhms", (604_800, 86_400, 3_600, 60, 1), strict=True))
        life = sum(int(n) * seconds[unit] for n, unit in re.findall(r"(\d+)([wdhms])", query["expiration"]))
        access = "ro" if query.get("authorization") == "read-only" else "rw"
        return self.sqld.token(seconds=life, access=access, namespace=name)


@contextmanager
def turso(sqld: Sqld | None = None) -> Iterator[Turso]:
    """A running stand-in, without databases. Fails at the end where a request was not as published."""
    server = Turso(sqld)
    with server.serving(), server.hosts:
        try:
            yield server
        finally:
            server.released.set()
    assert not server.violations, "\n".join(server.violations)


def refusal(status: int, error: Any = "no", **headers: str) -> Reply:
    return lambda handler: handler.send(status, {"error": error}, **headers)


def raw(body: bytes, status: int = 200) -> Reply:
    return lambda handler: handler.send(status, body)


def hang(handler: Handler) -> None:
    handler.server.released.wait(30)


def cut(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
    handler.close_connection = True

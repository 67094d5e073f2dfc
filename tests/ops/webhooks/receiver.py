"""A real receiver on loopback, which does what receivers do: verify, refuse, hang, redirect, drip."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any

from afn_project.env import BASE_DIR
from tests.stub_http import StubHandler


@dataclass
class Call:
    path: str
    headers: Any
    body: bytes


class Handler(StubHandler):
    server: "Receiver"
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.calls.append(Call(self.path, self.headers, body))
        self.server.reply(self)


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[Call] = []
        self.reply: Callable[[Handler], None] = answer(204)
        self.released = threading.Event()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/hook"

    def handle_error(self, *_: object) -> None:
        return  # a sender that gave up, or was killed, is what some tests are about


def answer(status: int, body: bytes = b"", **headers: str) -> Callable[[Handler], None]:
    return lambda handler: handler.send(status, body, **headers)


def hang(handler: Handler) -> None:
    handler.server.released.wait(60)
    handler.close_connection = True


def drip(handler: Handler) -> None:
    """A byte now and then, for ever: no single read is late."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    while not handler.server.released.is_set():
        handler.wfile.write(b".")
        handler.wfile.flush()
        time.sleep(0.05)


@contextmanager
def receiving() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()


def documented_check() -> Callable[..., bool]:
    """The function that the documentation gives to receivers."""
    text = (BASE_DIR / "docs" / "webhooks.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)
    return names["is_from_afn"]

"""Small HTTP servers on this machine, for what AFN calls."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from vectors.benchmarking.web_client import HOST


class LocalServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__((HOST, 0), handler)
        self.lock = threading.Lock()

    @property
    def host(self) -> str:
        return f"{HOST}:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        return  # a caller that was killed


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def send(self, status: int, body: bytes = b"", content_type: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


Server = TypeVar("Server", bound=LocalServer)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Receiver(LocalServer):
    """Of webhooks: how often each event came, by its id."""

    def __init__(self) -> None:
        super().__init__(_Receives)
        self.told: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://{self.host}/hook"


class _Receives(Handler):
    def do_POST(self) -> None:
        self.body()
        with self.server.lock:
            self.server.told[self.headers["X-AFN-Event-Id"]] += 1
        self.send(204)

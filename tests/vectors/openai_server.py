"""A real HTTP server on loopback that answers `/v1/embeddings` as a script says, well or badly."""

import base64
import json
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any

from tests.stub_http import StubHandler

Reply = Callable[["Handler", dict[str, Any]], None]


def embedding(text: str, dimensions: int) -> list[float]:
    """A function of the text: its length, first and last code point."""
    vector = [0.0] * dimensions
    vector[0], vector[1], vector[2] = float(len(text)), float(ord(text[0])), float(ord(text[-1]))
    return vector


class Handler(StubHandler):
    server: "Server"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append({"path": self.path, "headers": self.headers, "body": body})
            reply = self.server.script.pop(0) if self.server.script else good
        reply(self, body)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.script: list[Reply] = []
        self.requests: list[dict[str, Any]] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, *_: object) -> None:
        return  # a client that gave up is what some tests are about


@contextmanager
def running() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def answer(body: dict[str, Any], change: Callable[[list[dict[str, Any]]], Any] = list) -> bytes:
    rows = [
        {"object": "embedding", "index": at, "embedding": embedding(text, body.get("dimensions", 8))}
        for at, text in enumerate(body["input"])
    ]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return json.dumps(
        {"object": "list", "model": body["model"], "data": change(rows), "usage": usage}
    ).encode()


def good(handler: Handler, body: dict[str, Any]) -> None:
    def as_base64(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in rows:
            row["embedding"] = base64.b64encode(
                struct.pack(f"<{len(row['embedding'])}f", *row["embedding"])
            ).decode()
        return rows

    handler.send(200, answer(body, as_base64 if body.get("encoding_format") == "base64" else list))


def changed(change: Callable[[list[dict[str, Any]]], Any]) -> Reply:
    return lambda handler, body: handler.send(200, answer(body, change))


def status(code: int, message: str = "no", error: str | None = None, **headers: str) -> Reply:
    body = json.dumps({"error": {"message": message, "type": "x", "code": error}}).encode()
    return lambda handler, _: handler.send(code, body, **headers)


def raw(body: bytes) -> Reply:
    return lambda handler, _: handler.send(200, body)


def hang(handler: Handler, _: dict[str, Any]) -> None:
    handler.server.released.wait(30)


def cut(handler: Handler, _: dict[str, Any]) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    handler.close_connection = True

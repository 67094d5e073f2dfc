"""A service with OpenAI's `/v1/chat/completions` on this machine, as good or bad as a test wants it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ChatServer:
    """``answers`` are taken one a request, the last again and again: a status, or a text that it says. The
    request of the number `waits_at` is answered once `go` is set.
    """

    answers: list[int | str] = field(default_factory=lambda: ["yes"])
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    url: str = ""
    waits_at: int = 0
    tokens: int = 1_000
    go: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, request: dict[str, Any]) -> int | str:
        with self.lock:
            self.requests.append(request)
            number = len(self.requests)
        if number == self.waits_at:
            self.go.wait(60)
        with self.lock:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    state = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.keys.add(self.headers["Authorization"])
            answer = state.next(json.loads(body))
            status = answer if isinstance(answer, int) else 200
            said: dict[str, Any] = {"error": {"message": "no"}}
            if isinstance(answer, str):
                message = {"role": "assistant", "content": answer}
                said = {
                    "id": "1", "object": "chat.completion", "created": 1, "model": "m",
                    "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                    "usage": {"prompt_tokens": state.tokens, "completion_tokens": 500, "total_tokens": 1_500},
                }  # fmt: skip
            payload = json.dumps(said).encode()
            with suppress(ConnectionError):  # who asked may be gone
                self.answer(status, payload)

        def answer(self, status: int, payload: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

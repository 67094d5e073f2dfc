"""What the stand-ins of HTTP services have in common."""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any


class StubHandler(BaseHTTPRequestHandler):
    """Answers in JSON, or in bytes as they are, and says nothing on the terminal."""

    def send(self, status: int, answer: Any, **headers: str) -> None:
        """`headers` are written with _ for -, and may replace the content's type."""
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return

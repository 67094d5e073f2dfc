"""A service with OpenAI's `/v1/embeddings`, which fails as it is told to."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from vectors.codec import Matrix

from .local_http import Handler, LocalServer

DIMENSIONS: Final = 64
MODEL: Final = "faults"
_HANG_SECONDS: Final = 120.0


def vector_of(text: str) -> Matrix:
    """A function of the text: float32 of shape (64,) and length 1."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    vector = np.random.default_rng(seed).standard_normal(DIMENSIONS)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class Provider(LocalServer):
    """`fault` is the name of one of FAULTS, or empty while it works. `asked` counts requests by it."""

    def __init__(self) -> None:
        super().__init__(_Embeds)
        self.fault = ""
        self.asked: Counter[str] = Counter()
        self.released = threading.Event()

    @property
    def variables(self) -> dict[str, str]:
        """By which AFN uses it."""
        return {
            "AFN_EMBEDDER": "openai",
            "AFN_EMBEDDING_MODEL": MODEL,
            "OPENAI_API_KEY": "sk-faults",
            "OPENAI_BASE_URL": f"http://{self.host}/v1",
            "VECTOR_DIMENSION": str(DIMENSIONS),
        }

    def turn(self, fault: str) -> None:
        """Fail like this from now on; what hangs is let go."""
        self.fault = fault
        self.released.set()
        self.released = threading.Event()


class _Embeds(Handler):
    def do_POST(self) -> None:
        asked = json.loads(self.body())
        fault = self.server.fault
        with self.server.lock:
            self.server.asked[fault] += 1
        FAULTS[fault](self, asked)


def _answer(handler: Handler, asked: dict[str, Any], change: Callable[[list[Any]], Any] = list) -> None:
    texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
    vectors = change([vector_of(text).tolist() for text in texts])
    rows = [{"object": "embedding", "index": at, "embedding": one} for at, one in enumerate(vectors)]
    _send(handler, asked, rows)


def _send(handler: Handler, asked: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    if asked.get("encoding_format") == "base64":
        for row in rows:
            packed = struct.pack(f"<{len(row['embedding'])}f", *row["embedding"])
            row["embedding"] = base64.b64encode(packed).decode()
    body = {"object": "list", "data": rows, "model": MODEL, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    handler.send(200, json.dumps(body).encode())


def _status(status: int) -> Callable[[Handler, dict[str, Any]], None]:
    return lambda handler, _: handler.send(status, b'{"error": {"message": "not now", "type": "fault"}}')


def _hang(handler: Handler, _: dict[str, Any]) -> None:
    handler.server.released.wait(_HANG_SECONDS)
    handler.close_connection = True


def _cut(handler: Handler, _: dict[str, Any]) -> None:
    """Half an answer."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"object": "list", "data": [{"index": 0, "embedding": [0.1, 0.2')
    handler.close_connection = True


def _reordered(handler: Handler, asked: dict[str, Any]) -> None:
    """Right, and the last one first: who believes the order mixes them up."""
    texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
    rows = [{"index": at, "embedding": vector_of(text).tolist()} for at, text in enumerate(texts)]
    _send(handler, asked, rows[::-1])


def _changed(change: Callable[[list[Any]], Any]) -> Callable[[Handler, dict[str, Any]], None]:
    return lambda handler, asked: _answer(handler, asked, change)


FAULTS: Final[dict[str, Callable[[Handler, dict[str, Any]], None]]] = {
    "": _answer,
    "429": _status(429),
    "500": _status(500),
    "hang": _hang,
    "cut": _cut,
    "bad JSON": lambda handler, _: handler.send(200, b'{"object": "list", "data": [{"ind'),
    "wrong dimensions": _changed(lambda rows: [row[:-1] for row in rows]),
    "NaN": _changed(lambda rows: [[float("nan"), *row[1:]] for row in rows]),
    "fewer": _changed(lambda rows: rows[:-1]),
    "reordered": _reordered,
}

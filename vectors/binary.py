"""Requests whose embeddings are float32 numbers as they are in memory, much quicker to read than JSON.

A search is the embedding alone, 4 bytes a dimension. Items are

    n: 8 bytes      the length of what follows, an unsigned integer
    n bytes         JSON: {"items": [{"key", "text", "title"?, "metadata"?}, …]}
    the rest        their embeddings in the same order, float32, 4 bytes a dimension

All numbers are little-endian. In NumPy: struct.pack("<Q", len(head)) + head + matrix.astype("<f4").tobytes().
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

import numpy as np
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja.decorators import decorate_view

from vectors.bodies import InvalidBody
from vectors.codec import Matrix
from vectors.errors import shown
from vectors.jsonl import InvalidLine, parse_line

CONTENT_TYPE: Final = "application/octet-stream"
_LENGTH: Final = 8
_FLOAT32: Final = np.dtype("<f4")
_Operation = TypeVar("_Operation", bound=Callable[..., Any])


def read_vector(body: bytes) -> Matrix:
    """One embedding, float32 (dimensions,); whoever knows the collection checks how many they are."""
    if not body or len(body) % _FLOAT32.itemsize:
        raise InvalidBody("body", "float32 numbers, 4 bytes each", f"{len(body):,} bytes")
    vector: Matrix = np.frombuffer(body, _FLOAT32)
    return vector


def read_items(body: bytes) -> dict[str, Any]:
    """The JSON of the body, each item with its `vector`, float32 (dimensions,)."""
    if len(body) < _LENGTH:
        raise InvalidBody("body", f"{_LENGTH} bytes with the length of the JSON", f"{len(body)} bytes")
    length, left = int.from_bytes(body[:_LENGTH], "little"), len(body) - _LENGTH
    if length > left:
        raise InvalidBody("body", f"JSON of {length:,} bytes, as the first {_LENGTH} say", f"{left:,} bytes")
    given = _json(body[_LENGTH : _LENGTH + length])
    items = given.get("items") if isinstance(given, dict) else None
    if (
        not isinstance(given, dict)
        or not isinstance(items, list)
        or not all(isinstance(item, dict) for item in items)
    ):
        raise InvalidBody("body", 'JSON of the form {"items": [{…}, …]}', shown(given))
    for number, item in enumerate(items):
        if "vector" in item:
            raise InvalidBody(f"items[{number}].vector", "no embedding in the JSON", "one")
    rest = left - length
    row = rest // len(items) if items else 0
    if row * len(items) != rest or row % _FLOAT32.itemsize or (items and not row):
        expected = f"{len(items):,} embeddings of float32, equally long, after the JSON"
        raise InvalidBody("body", expected, f"{rest:,} bytes")
    # A copy, as the length of the JSON need not leave them aligned.
    matrix = np.frombuffer(body[_LENGTH + length :], _FLOAT32).reshape(len(items), row // _FLOAT32.itemsize)
    vectors = [{**item, "vector": vector} for item, vector in zip(items, matrix, strict=True)]
    return {**given, "items": vectors}


def takes_bytes(read: Callable[[HttpRequest], dict[str, Any]]) -> Callable[[_Operation], _Operation]:
    """Stands below the route: `read` makes a body of CONTENT_TYPE what JSON would have been.

    Whoever parses bodies calls `parse_bytes` of a request that has one.
    """

    def note(run: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(run)
        def noted(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            if request.content_type == CONTENT_TYPE:
                request.parse_bytes = read  # type: ignore[attr-defined]
            return run(request, **arguments)

        return noted

    return decorate_view(note)


def in_the_documentation(description: str) -> dict[str, Any]:
    """What OpenAPI says of the second form of a body."""
    schema = {"type": "string", "format": "binary", "description": description}
    return {"requestBody": {"content": {CONTENT_TYPE: {"schema": schema}}}}


def _json(head: bytes) -> object:
    try:
        return parse_line(head.decode("utf-8", errors="surrogateescape"))
    except InvalidLine as error:
        raise InvalidBody("body", error.expected, error.got) from error

"""REST over streams of items: lines of JSON in and out, of any number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Path, Query, Router
from ninja.errors import HttpError

from vectors import schemas, store
from vectors.api_parts import refuse_managed, refuse_unknown
from vectors.api_values import CollectionName
from vectors.bodies import InvalidBody, check_whole
from vectors.exporting import export_lines
from vectors.importing import import_lines
from vectors.permissions import needs

router = Router()
JSON_LINES: Final = "application/x-ndjson"
# A text of a million characters may take twelve bytes for each of them.
_MAX_LINE: Final = 16_000_000
_PART: Final = 65_536
_REFUSED: Final = 100
_LINES = {
    "schema": {
        "type": "string",
        "x-max-bytes-of-a-line": _MAX_LINE,
        "example": '{"key": "faq/refunds", "text": "Within five days."}\n',
    }
}


@router.get(
    "/collections/{name}/export",
    response={200: None},
    openapi_extra={"responses": {200: {"description": "Lines of JSON", "content": {JSON_LINES: _LINES}}}},
)
def export_items(
    request: HttpRequest, name: Path[CollectionName], query: Query[schemas.ExportQuery]
) -> StreamingHttpResponse:
    """All items as lines of JSON, in the order they were written, each as an import takes it."""
    refuse_unknown(request, tuple(schemas.ExportQuery.model_fields))
    collection = store.get_collection(name)
    lines = _told_where_broken(export_lines(collection, with_vectors=query.vectors))
    return StreamingHttpResponse(
        lines,
        content_type=JSON_LINES,
        headers={"Content-Disposition": 'attachment; filename="items.jsonl"', "X-Accel-Buffering": "no"},
    )


def _told_where_broken(lines: Iterator[str]) -> Iterator[str]:
    """The lines, and where an error ends them a last one that is no item.

    A server may close such an answer as if it were whole.
    """
    try:
        yield from lines
    except Exception:
        yield json.dumps({"detail": "The export broke off here, items are missing. Ask for it again."}) + "\n"
        raise


@router.post(
    "/collections/{name}/import",
    response={200: schemas.ImportOut},
    openapi_extra={"requestBody": {"required": True, "content": {JSON_LINES: _LINES}}},
)
@needs("vectors.change_collection")
def import_items(request: HttpRequest, name: Path[CollectionName]) -> dict[str, Any]:
    """Insert or replace items, a line of JSON each, as many as you like: they are read as they come.

    A bad line is left out and reported, the first 100 by number. Each batch is written wholly or not at all:
    after a failure send the lines again, those that are stored are not written twice.
    """
    refuse_managed(name)
    if (request.content_type or "").startswith("multipart/"):
        raise HttpError(415, f"Send the lines themselves, not a form: Content-Type: {JSON_LINES}.")
    report = import_lines(store.get_collection(name), _lines(request), keep=_REFUSED)
    counts = {one: getattr(report.result, one) for one in ("inserted", "updated", "unchanged")}
    return {**counts, "refused": report.refusals, "problems": report.refused}


def _lines(request: HttpRequest) -> Iterator[tuple[int, str]]:
    """The body's lines that are not blank, with their numbers from 1; little more than one is in memory.

    They are cut here, as `readline` is not what it should be with every server: Granian's loses their ends.
    """
    number, received, rest = 0, 0, b""
    while part := request.read(_PART):
        received += len(part)
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            number += 1
            yield from _numbered(number, line)
        if len(rest) > _MAX_LINE:
            expected = f"lines of at most {_MAX_LINE:,} bytes"
            raise InvalidBody("body", expected, f"a longer line {number + 1:,}")
    check_whole(request, received)
    yield from _numbered(number + 1, rest)


def _numbered(number: int, line: bytes) -> Iterator[tuple[int, str]]:
    if line.strip():
        yield number, line.decode("utf-8", errors="surrogateescape")

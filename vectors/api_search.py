"""REST over searching a collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from ninja import Path, Router

from vectors import schemas, store
from vectors.api_parts import parts, refuse_unknown, vectors_for
from vectors.api_values import CollectionName
from vectors.binary import CONTENT_TYPE, in_the_documentation, read_vector, takes_bytes
from vectors.errors import EmbedderError, InvalidFilter, InvalidQuery
from vectors.jsonl import InvalidLine, parse_line
from vectors.permissions import READING, needs
from vectors.search import SearchResult, search
from vectors.similar import search_many, search_similar

router = Router()
_BYTES = (
    "The vector as float32, little-endian; the other members stand in the query string, `filter` as JSON."
)


def _search_in_bytes(request: HttpRequest) -> dict[str, Any]:
    """The members of SearchIn, out of a body of bytes and a query string."""
    given: dict[str, Any] = {"vector": read_vector(request.body)}
    for name, values in request.GET.lists():
        value = values[-1]
        if name == "include":
            given[name] = values
        elif name == "k" and value.isascii() and value.isdigit() and len(value) < 10:
            given[name] = int(value)
        elif name == "with_plan" and value in ("true", "false"):
            given[name] = value == "true"
        elif name == "filter":
            given[name] = _filter(value)
        elif name == "vector":
            raise InvalidQuery("vector", "one in the body", "another in the query string")
        else:
            given[name] = value
    return given


@router.post(
    "/collections/{name}/search",
    response={200: schemas.SearchOut},
    exclude_unset=True,
    openapi_extra=in_the_documentation(_BYTES),
)
@needs(READING)
@takes_bytes(_search_in_bytes)
def search_collection(
    request: HttpRequest, name: Path[CollectionName], payload: schemas.SearchIn
) -> dict[str, Any]:
    """The best `k` items for a text, an embedding, or both, or those like the item `key`. Only reads.

    A vector travels best as bytes, `application/octet-stream`.
    """
    if request.content_type != CONTENT_TYPE:
        refuse_unknown(request)
    try:
        arguments = _arguments(payload)
        result = (search_similar if "key" in arguments else search)(name, **arguments)
    except EmbedderError as error:
        _explain(name, error, "vector")
        raise
    return _shown(name, result, payload)


@router.post(
    "/collections/{name}/searches",
    summary="Search Collection Several Times",
    response={200: schemas.SearchesOut},
    exclude_unset=True,
)
@needs(READING)
def search_collection_often(
    request: HttpRequest, name: Path[CollectionName], payload: schemas.SearchesIn
) -> dict[str, Any]:
    """Up to 50 searches in one request: the results of all, or the error of the first that is wrong."""
    try:
        results = search_many(name, [_arguments(one, at) for at, one in enumerate(payload.searches)])
    except EmbedderError as error:
        _explain(name, error, f"searches[{_first_of_text(payload.searches)}].vector")
        raise
    shown = [_shown(name, one, asked) for one, asked in zip(results, payload.searches, strict=True)]
    return {"results": shown}


def _arguments(payload: schemas.SearchIn, number: int | None = None) -> dict[str, Any]:
    """What `search`, or with a key `search_similar`, is to be called with."""
    if payload.key is not None and payload.vector is not None:
        at = "key" if number is None else f"searches[{number}].key"
        raise InvalidQuery(at, "a key or a vector", "both")
    without = {"include", "with_plan", *(("key",) if payload.key is None else ("vector",))}
    given = {name: value for name, value in payload if name not in without}
    return given | {"parts": [part for part in payload.include if part != "vector"]}


def _first_of_text(searches: Sequence[schemas.SearchIn]) -> int:
    """The number of the first that needs the embedder."""
    texts = (one.vector is None and one.key is None and one.mode != "keyword" for one in searches)
    return next((number for number, is_text in enumerate(texts) if is_text), 0)


def _shown(name: str, result: SearchResult, payload: schemas.SearchIn) -> dict[str, Any]:
    include = payload.include
    vectors = vectors_for(store.get_collection(name), result.hits, include) if "vector" in include else {}
    hits = [
        {
            "key": hit.key,
            **parts(hit, include, vectors),
            "distance": hit.distance,
            "similarity": hit.similarity,
            "score": hit.score,
            "ranks": hit.ranks,
        }
        for hit in result.hits
    ]
    plan = {"plan": result.plan} if payload.with_plan else {}
    return {"hits": hits, **plan, "took_ms": result.took_ms}


def _filter(text: str) -> object:
    try:
        return parse_line(text)
    except InvalidLine as error:
        raise InvalidFilter("filter", error.expected, error.got) from error


def _explain(name: str, error: EmbedderError, field: str) -> None:
    """A search by text where the caller brings the vectors is the caller's mistake."""
    if not store.get_collection(name).embedder:
        expected = "an embedding, as the collection has no embedder"
        raise InvalidQuery(field, expected, "none") from error

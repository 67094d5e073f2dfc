"""Search a collection by meaning, by keywords, or by both."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from django.db import connections

from vectors.codec import Matrix, as_vector
from vectors.embedders import Embedder, for_collection, get_embedder
from vectors.errors import InvalidQuery, shown
from vectors.filters import compile_filter
from vectors.fulltext import is_mostly_cjk, match_expression
from vectors.fusion import Fused, convex, reciprocal_ranks
from vectors.limits import MAX_K, MAX_QUERY
from vectors.models import Collection, Metric
from vectors.rows import alias_of, execute
from vectors.sql import Keywords, Tables, Where, id_list
from vectors.strategies import Found, Plan, Request, find
from vectors.validation import check_text

MODES: Final = ("hybrid", "semantic", "keyword")
FUSIONS: Final = ("convex", "rrf")
# Rows of each leg that take part in the fusion.
_MIN_LEG: Final = 100
_LEG_PER_ROW: Final = 5
# Searches of which none is short because other processes write all the time.
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """One result.

    `distance` (0 is nearest) and `similarity` (1 − cosine distance; None under l2) are None where the search
    had no semantic leg. `score` ranks the hits of this search and compares with no other's: the fused score
    in hybrid mode, BM25 in keyword mode, the negative distance in semantic mode. `ranks` gives the place in
    each leg ("keyword", "semantic"), 1 for the best, None where the leg does not hold the row.
    """

    key: str
    id: int
    title: str
    text: str
    metadata: dict[str, Any]
    distance: float | None
    similarity: float | None
    score: float
    ranks: dict[str, int | None]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first.

    `plan` says how they were found: the fields of `strategies.base.Plan`, and ms for the statements.
    `took_ms` is the whole time, the embedding of the query included.
    """

    hits: list[Hit]
    plan: dict[str, Any]
    took_ms: float


@dataclass(frozen=True, slots=True)
class _Search:
    """The arguments of a search, checked."""

    collection: Collection
    alias: str
    k: int
    vector: Matrix | None
    keywords: Keywords | None
    where: Where | None
    strategy: str | None


def search(
    collection: Collection,
    query: str | None = None,
    *,
    vector: Sequence[float] | Matrix | None = None,
    k: int = 10,
    mode: str = "hybrid",
    filter: Mapping[str, Any] | None = None,
    fusion: str = "convex",
    strategy: str | None = None,
    embedder: Embedder | None = None,
    using: str | None = None,
) -> SearchResult:
    """The best `k` items (1…1,000) for a text, an embedding, or both.

    `mode` "semantic" goes by distance, "keyword" by BM25, "hybrid" (default) by both; hybrid needs only one
    of `query` and `vector`, and a query without words ("?!") has no keyword leg. `vector`, of the
    collection's dimensions, stands in for the embedded query. `filter` restricts all modes (see
    `vectors.filters`); k items come back if k match. `fusion` is "convex" or "rrf". `strategy` overrides the
    collection's. Equal scores go by id.

    Raises InvalidQuery, InvalidVector, InvalidFilter or EmbedderError.
    """
    started = time.perf_counter()
    _check_arguments(query, vector, k, mode, fusion)
    leg = max(_MIN_LEG, _LEG_PER_ROW * k) if mode == "hybrid" else k
    match = match_expression(query) if query and mode != "semantic" else ""
    wanted = _Search(
        collection=collection,
        alias=alias_of(collection, using),
        k=k,
        vector=None if mode == "keyword" else _query_vector(collection, query, vector, embedder),
        keywords=Keywords(match, leg) if match else None,
        where=None if filter is None else compile_filter(filter),
        strategy=strategy,
    )
    asked = time.perf_counter()
    for _ in range(_TRIES):
        found = _find(wanted, leg)
        order = _order(found, wanted, leg, fusion, query)
        hits = _hits(order, found, wanted)
        if len(hits) == len(order):  # else a row was updated between two statements, which gives it a new id
            break
    finished = time.perf_counter()
    plan = {**asdict(found.plan), "ms": round(1000 * (finished - asked), 3)}
    return SearchResult(hits, plan, took_ms=round(1000 * (finished - started), 3))


def _check_arguments(query: object, vector: object, k: object, mode: object, fusion: object) -> None:
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MAX_K:
        raise InvalidQuery("k", f"an integer from 1 to {MAX_K:,}", shown(k))
    if mode not in MODES:
        raise InvalidQuery("mode", ", ".join(MODES), shown(mode))
    if fusion not in FUSIONS:
        raise InvalidQuery("fusion", " or ".join(FUSIONS), shown(fusion))
    if query is not None:
        check_text(query, "query", minimum=1, maximum=MAX_QUERY, error=InvalidQuery)
    if query is None and (vector is None or mode == "keyword"):
        raise InvalidQuery("query", "text" if mode == "keyword" else "text or a vector", "nothing")


def _query_vector(
    collection: Collection,
    query: str | None,
    vector: Sequence[float] | Matrix | None,
    embedder: Embedder | None,
) -> Matrix:
    if vector is None and query is not None:
        vector = (embedder or for_collection(collection)).embed_query(query)
    checked = as_vector(vector, collection.dimensions, collection.metric)
    if collection.metric == Metric.COSINE:
        # libSQL multiplies both squared norms in float32: with one of them 1, that cannot overflow.
        checked = (checked / np.linalg.norm(checked.astype(np.float64))).astype(np.float32)
    return checked


def _find(wanted: _Search, leg: int) -> Found:
    if wanted.vector is not None:
        request = Request(wanted.vector, wanted.k, leg, wanted.keywords, wanted.where)
        return find(connections[wanted.alias], wanted.collection, request, wanted.strategy)
    if wanted.keywords is None:  # keyword mode, and the query has no words
        return Found({}, {}, Plan("keyword", 0, 0, exhaustive=True))
    statement = Tables.of(wanted.collection).keyword_search(wanted.keywords, wanted.where)
    bm25 = dict(execute(wanted.alias, statement))
    return Found({}, bm25, Plan("keyword", len(bm25), 0, exhaustive=True))


def _order(found: Found, wanted: _Search, leg: int, fusion: str, query: str | None) -> list[Fused]:
    if wanted.vector is None or wanted.keywords is None:
        scores = found.bm25 or {row: -distance for row, distance in found.distance.items()}
        order = sorted(scores, key=lambda row: (-scores[row], row))[: wanted.k]
        by_keyword = wanted.vector is None
        return [
            Fused(row, scores[row], rank if by_keyword else None, None if by_keyword else rank)
            for rank, row in enumerate(order, start=1)
        ]
    if fusion == "rrf":
        return reciprocal_ranks(found.bm25, found.distance, leg=leg, k=wanted.k)
    return convex(
        found.bm25, found.distance, keyword_weight(wanted.collection, query or ""), leg=leg, k=wanted.k
    )


def keyword_weight(collection: Collection, query: str) -> float:
    """The share of BM25 for this query, 0…1: the collection's own, or what its embedder declares safe."""
    if collection.keyword_weight is not None:
        return collection.keyword_weight
    chosen = (
        get_embedder(collection.embedder, model=collection.model, dimensions=collection.dimensions)
        if collection.embedder
        else Embedder
    )
    return chosen.cjk_keyword_weight if is_mostly_cjk(query) else chosen.keyword_weight


def _hits(order: list[Fused], found: Found, wanted: _Search) -> list[Hit]:
    """The winners with their text, which is read for no other row."""
    if not order:
        return []
    statement = Tables.of(wanted.collection).winners(id_list(one.id for one in order))
    rows = {row[0]: row for row in execute(wanted.alias, statement)}
    hits = []
    for one in order:
        if one.id not in rows:  # deleted since the first statement
            continue
        number, key, title, text, metadata = rows[one.id]
        distance = found.distance.get(one.id)
        similar = distance is not None and wanted.collection.metric == "cosine"
        hits.append(
            Hit(
                key=key,
                id=number,
                title=title,
                text=text,
                metadata=json.loads(metadata),
                distance=distance,
                similarity=1 - distance if distance is not None and similar else None,
                score=one.score,
                ranks={"keyword": one.keyword_rank, "semantic": one.semantic_rank},
            )
        )
    return hits

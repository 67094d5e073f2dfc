"""Search a collection by meaning, by keywords, or by both, in one statement."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet

from vectors import fusion as scores
from vectors import known
from vectors.among import both, where_among
from vectors.codec import Matrix, as_vector, to_blob, unit
from vectors.embedders import Embedder, for_collection, get_embedder
from vectors.errors import InvalidQuery, StaleBatch, VectorError, shown
from vectors.filters import where_for
from vectors.fulltext import is_mostly_cjk, match_expression
from vectors.hits import PARTS, Display, Hit, Items, Rows
from vectors.index.cache import IndexCache
from vectors.limits import MAX_K, MAX_QUERY
from vectors.models import Collection, Metric, StrategyName
from vectors.rows import reading_alias, run, within_an_answer
from vectors.search_sql import HIT_COLUMNS, Answer, Keywords, SearchStatement
from vectors.signals import searched
from vectors.sql import Statement, Where
from vectors.strategies import STRATEGIES, KeywordsOnly, Plan, Request, Scan, index_of, scan_for
from vectors.validation import check_text

__all__ = ["FUSIONS", "MODES", "Hit", "SearchResult", "keyword_weight", "search"]

MODES: Final = ("hybrid", "semantic", "keyword")
FUSIONS: Final = ("convex", "rrf")
# Rows of each leg that take part in the fusion.
_MIN_LEG: Final = 100
_LEG_PER_ROW: Final = 5
# Searches of which each met another collection than the one before: somebody changes it all the time.
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first.

    `plan` says how they were found: the fields of `strategies.base.Plan`, and ms for finding them.
    `took_ms` is the whole time, the embedding of the query included.
    """

    hits: list[Hit]
    plan: dict[str, Any]
    took_ms: float


@dataclass(slots=True)
class _Search:
    """The arguments of a search, checked. `collection` is a name, or one that the caller has read."""

    collection: Collection | str
    connection: BaseDatabaseWrapper
    query: str | None
    vector: Sequence[float] | Matrix | None
    k: int
    mode: str
    leg_rows: int
    keywords: Keywords | None
    filter: Mapping[str, Any] | None
    among: Where | None
    fusion: str
    strategy: str | None
    embedder: Embedder | None
    display: Display


def search(
    collection: Collection | str,
    query: str | None = None,
    *,
    vector: Sequence[float] | Matrix | None = None,
    k: int = 10,
    mode: str = "hybrid",
    filter: Mapping[str, Any] | None = None,
    among: QuerySet[Any] | None = None,
    fusion: str = "convex",
    strategy: str | None = None,
    embedder: Embedder | None = None,
    parts: Sequence[str] = PARTS,
    model: type[Model] | None = None,
    fields: Sequence[str] | None = None,
    using: str | None = None,
) -> SearchResult:
    """The best `k` items (1…1,000) for a text, an embedding, or both.

    `collection` is a name or a collection; by name, no statement is spent on looking it up. `mode` "semantic"
    goes by distance, "keyword" by BM25, "hybrid" (default) by both; hybrid needs only one of `query` and
    `vector`, and a query without words ("?!") has no keyword leg. `vector`, of the collection's dimensions,
    stands in for the embedded query. `filter` restricts all modes (see `vectors.filters`), and so does
    `among`, rows of the same database whose primary keys are items' keys (see `vectors.among`); k items come
    back if k match. `fusion` is "convex" or "rrf". `strategy` overrides the collection's. Equal scores go by
    distance, then by id.

    `parts` says what hits bring of their items, "title", "text" and "metadata" by default; what is not wanted
    is not read. `model`, whose primary keys are the items' keys, has each hit bring the row of that model
    instead, of which only `fields` are read at once; items whose row is gone are left out, so there may be
    fewer than k.

    Raises CollectionNotFound, InvalidQuery (also where the hits are more than a server sends at once),
    InvalidVector, InvalidFilter or EmbedderError, and StaleBatch where the collection is changed again and
    again meanwhile.
    """
    started = time.perf_counter()
    _check_arguments(query, vector, k, mode, fusion, strategy)
    if unknown := [part for part in parts if part not in PARTS]:
        raise InvalidQuery("parts", ", ".join(PARTS), shown(unknown[0]))
    alias = reading_alias(collection, using)
    match = match_expression(query) if query and mode != "semantic" else ""
    leg_rows = max(_MIN_LEG, _LEG_PER_ROW * k) if match and mode == "hybrid" else k
    wanted = _Search(
        collection=collection,
        connection=connections[alias],
        query=query,
        vector=vector,
        k=k,
        mode=mode,
        leg_rows=leg_rows,
        keywords=Keywords(match, leg_rows) if match else None,
        filter=filter,
        among=None if among is None else where_among(among, alias),
        fusion=fusion,
        strategy=strategy,
        embedder=embedder,
        display=Items(parts) if model is None else Rows(model, alias, fields),
    )
    hits, plan = _find(wanted)
    took = _milliseconds_since(started)
    searched.send(Collection, seconds=took / 1_000)
    return SearchResult(hits, plan, took_ms=took)


def _check_arguments(
    query: object, vector: object, k: object, mode: object, fusion: object, strategy: object
) -> None:
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MAX_K:
        raise InvalidQuery("k", f"an integer from 1 to {MAX_K:,}", shown(k))
    if mode not in MODES:
        raise InvalidQuery("mode", ", ".join(MODES), shown(mode))
    if fusion not in FUSIONS:
        raise InvalidQuery("fusion", " or ".join(FUSIONS), shown(fusion))
    if strategy is not None and strategy not in STRATEGIES:
        raise InvalidQuery("strategy", ", ".join(STRATEGIES), shown(strategy))
    if query is not None:
        check_text(query, "query", minimum=1, maximum=MAX_QUERY, error=InvalidQuery)
    if query is None and (vector is None or mode == "keyword"):
        raise InvalidQuery("query", "text" if mode == "keyword" else "text or a vector", "nothing")


def _find(wanted: _Search) -> tuple[list[Hit], dict[str, Any]]:
    """Search by the collection as it is known, and again where the answer says that it is another one."""
    connection = wanted.connection
    about = known.Reference(wanted.collection, connection.alias)
    for tried in range(_TRIES):
        collection = about.current
        scan: Scan | None = None
        try:
            vector = None if wanted.mode == "keyword" else _query_vector(collection, wanted)
            index = index_of(connection, collection)
            started = time.perf_counter()
            where = both(where_for(collection, wanted.filter), wanted.among)
            scan = _scan(collection, index, vector, where, wanted)
            while True:
                answer = _ask(collection, index, vector, scan, where, wanted)
                if not about.confirm(answer.collection):
                    break
                outcome = scan.conclude(connection, answer)
                index.notice(connection, answer.seen)
                took = _milliseconds_since(started)
                if isinstance(outcome, Plan):
                    if not wanted.keywords:
                        index.memory.took(scan.name, scan.cost, took)
                    return _hits(answer, collection, wanted), outcome.as_dict(took)
                scan = outcome
        except (DatabaseError, VectorError) as error:
            if scan is not None and scan.name == StrategyName.DISKANN and not tried:
                # That index may have been dropped since this process last looked.
                index_of(connection, collection).drop()
                continue
            about.doubt(error)
    raise StaleBatch(
        "collection", "one that stays as it is during a search", f"{_TRIES} changes", "Try again."
    )


def _query_vector(collection: Collection, wanted: _Search) -> Matrix:
    vector = wanted.vector
    if vector is None and wanted.query is not None:
        vector = (wanted.embedder or for_collection(collection)).embed_query(wanted.query)
    checked = as_vector(vector, collection.dimensions, collection.metric)
    # libSQL multiplies both squared norms in float32: with one of them 1, that cannot overflow.
    return unit(checked) if collection.metric == Metric.COSINE else checked


def _scan(
    collection: Collection, index: IndexCache, vector: Matrix | None, where: Where | None, wanted: _Search
) -> Scan:
    if vector is None:
        return KeywordsOnly()
    is_plain = wanted.keywords is None and where is None and not wanted.display.shown.join
    request = Request(vector, wanted.k, wanted.leg_rows, where, is_plain=is_plain)
    return scan_for(wanted.connection, index, request, wanted.strategy or collection.strategy)


def _ask(
    collection: Collection,
    index: IndexCache,
    vector: Matrix | None,
    scan: Scan,
    where: Where | None,
    wanted: _Search,
) -> Answer:
    statement = SearchStatement(
        tables=index.tables,
        vector=None if vector is None else to_blob(vector),
        keywords=wanted.keywords,
        where=where,
        leg=scan.leg,
        score=_score(collection, wanted),
        leg_rows=wanted.leg_rows,
        k=wanted.k,
        shown=wanted.display.shown,
    )
    with within_an_answer("k", str(wanted.k), "fewer results"):
        rows = run(wanted.connection, statement.statement())
    return statement.read(rows)


def _score(collection: Collection, wanted: _Search) -> Statement | None:
    if wanted.mode != "hybrid" or wanted.keywords is None:
        return None
    if wanted.fusion == "rrf":
        return scores.BY_RECIPROCAL_RANKS
    return scores.convex(keyword_weight(collection, wanted.query or ""))


def keyword_weight(collection: Collection, query: str) -> float:
    """The share of BM25 for this query, 0…1: the collection's own, or what its embedder declares safe."""
    is_cjk = is_mostly_cjk(query)
    if is_cjk and collection.keyword_weight_cjk is not None:
        return collection.keyword_weight_cjk
    if collection.keyword_weight is not None:
        return collection.keyword_weight
    chosen = (
        get_embedder(collection.embedder, model=collection.model, dimensions=collection.dimensions)
        if collection.embedder
        else Embedder
    )
    return chosen.cjk_keyword_weight if is_cjk else chosen.keyword_weight


def _hits(answer: Answer, collection: Collection, wanted: _Search) -> list[Hit]:
    shows_similarity = collection.metric == Metric.COSINE
    is_keyword, is_semantic = wanted.mode == "keyword", wanted.keywords is None
    width = len(HIT_COLUMNS)
    shown_parts = wanted.display.read([row[width:] for row in answer.hits])
    hits = []
    for place, (row, shows) in enumerate(zip(answer.hits, shown_parts, strict=True), start=1):
        number, key, distance, score, keyword_rank, semantic_rank = row[:width]
        similarity = None
        if shows_similarity and distance is not None:
            distance = max(distance, 0.0)  # rounding makes it −2·10⁻⁸ for the same vector
            similarity = 1 - distance
        # Where only one leg was asked, its ranks are the places.
        if is_keyword:
            keyword_rank = place
        elif is_semantic:
            semantic_rank = place
        ranks = {"keyword": keyword_rank, "semantic": semantic_rank}
        hits.append(Hit(key, number, distance, similarity, score, ranks, *shows))
    return hits


def _milliseconds_since(started: float) -> float:
    return round(1000 * (time.perf_counter() - started), 3)

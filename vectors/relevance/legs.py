"""Read both legs of a query once, as a hybrid search of ten hits would fuse them."""

from __future__ import annotations

import numpy as np

from vectors.codec import Matrix, as_vector, to_blob, unit
from vectors.fulltext import match_expression
from vectors.models import Collection, Metric
from vectors.relevance import sql
from vectors.relevance.fusing import LEG, Legs
from vectors.rows import execute, reading_alias
from vectors.search import search
from vectors.sql import Tables, id_list


def read_legs(collection: Collection, query: str, vector: Matrix, *, using: str | None = None) -> Legs:
    """The 100 best rows by BM25 and the 100 nearest to `vector`.

    `vector`, float32 (dimensions,), is the query as the collection's embedder makes it. Rows of the keyword
    leg get an exact distance too. Raises what `search` raises.
    """
    near = search(collection, vector=vector, k=LEG, mode="semantic", parts=(), using=using).hits
    has_terms = bool(match_expression(query))
    worded = []
    if has_terms:
        worded = search(collection, query, k=LEG, mode="keyword", parts=(), using=using).hits
    keys = {hit.id: hit.key for hit in [*near, *worded]}
    bm25 = {hit.id: hit.score for hit in worded}
    # The score is the distance as it was measured, before it is shown as 0 or more.
    distances = {hit.id: -hit.score for hit in near}
    if missing := sorted(bm25.keys() - distances.keys()):
        distances |= _distances(collection, vector, missing, using)
    ids = sorted(distances)  # a row that was deleted meanwhile has none
    return Legs(
        keys=[keys[one] for one in ids],
        bm25=np.array([bm25.get(one, np.nan) for one in ids], np.float64),
        distances=np.array([distances[one] for one in ids], np.float64),
        has_terms=has_terms,
    )


def _distances(collection: Collection, vector: Matrix, ids: list[int], using: str | None) -> dict[int, float]:
    checked = as_vector(vector, collection.dimensions, collection.metric)
    blob = to_blob(unit(checked) if collection.metric == Metric.COSINE else checked)
    statement = sql.distances(Tables.of(collection), blob, id_list(ids))
    return dict(execute(reading_alias(collection, using), statement))

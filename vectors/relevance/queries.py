"""Which queries a collection is measured with: judged ones, or known items where there are none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from vectors.errors import InvalidQuery, shown
from vectors.evaluation import Judged
from vectors.models import Collection
from vectors.relevance.judging import judged_queries, missing_keys
from vectors.relevance.known_items import known_items
from vectors.relevance.models import QuerySource


@dataclass(frozen=True, slots=True)
class Queries:
    """Judged queries and the collection to search for them: a scratch copy where they are known items.

    `missing_keys` is how many keys were judged relevant of which the collection has no item: no search can
    find them, and every score suffers.
    """

    source: str
    collection: Collection
    judged: list[Judged]
    missing_keys: int = 0


@contextmanager
def open_queries(
    collection: Collection, source: str | None = None, *, using: str | None = None
) -> Iterator[Queries]:
    """The queries of `source`: "judgements", "known-items", or None for the first of them that there is.

    Raises InvalidQuery where there are none, and what `known_items` raises.
    """
    if source is not None and source not in QuerySource.values:
        raise InvalidQuery("source", " or ".join(QuerySource.values), shown(source))
    judged = [] if source == QuerySource.KNOWN_ITEMS else judged_queries(collection, using=using)
    if judged:
        keys = {key for one in judged for key, grade in one.relevant.items() if grade}
        missing = len(missing_keys(collection, keys, using=using))
        yield Queries(QuerySource.JUDGEMENTS, collection, judged, missing)
    elif source == QuerySource.JUDGEMENTS:
        raise InvalidQuery("queries", "judgements", "none", "Import some with import_judgements.")
    else:
        with known_items(collection, using=using) as (copied, made):
            yield Queries(QuerySource.KNOWN_ITEMS, copied, made)

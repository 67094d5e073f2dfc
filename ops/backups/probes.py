"""Searches whose results a restored database has to give again: what its rows are for, beyond being there.

Each asks for the nearest to an item that is stored, by its own vector or by its own words, so that neither
needs an embedder. They go through the product's own search, and so through its indexes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isclose
from typing import Any, Final

from django.db import DatabaseError

from ops.environments.base import EnvironmentProblem
from vectors import reading
from vectors.catalogue import visible_collections
from vectors.errors import VectorError
from vectors.fulltext import match_expression
from vectors.index.sql import last_id
from vectors.items import StoredItem
from vectors.limits import MAX_QUERY
from vectors.models import Collection
from vectors.rows import execute
from vectors.search import search
from vectors.sql import Tables

ITEMS: Final = 10  # of each collection; each is asked for by its vector and by its words
COLLECTIONS: Final = 20
_K: Final = 10
_TOLERANCE: Final = 1e-6


@dataclass(frozen=True)
class Probe:
    """A search for the item `key`, and the keys it found with their scores, the best first."""

    collection: str
    key: str
    mode: str
    found: list[tuple[str, float]]


def take(alias: str) -> list[Probe]:
    """Probes spread over the items of every collection. Raises ``VectorError``."""
    return [
        Probe(collection.name, item.key, mode, _ask(collection, question, mode, alias))
        for collection in visible_collections(alias).order_by("name")[:COLLECTIONS]
        for item in _spread(collection, alias)
        for mode, question in _questions(collection, item, alias)
    ]


def differences(probes: Sequence[Probe], alias: str) -> list[str]:
    """Those that find something else than they did, a sentence each."""
    texts = []
    collections = {one.name: one for one in visible_collections(alias)} if probes else {}
    for probe in probes:
        about = f"{probe.collection}: the {probe.mode} search for {probe.key}"
        try:
            collection = collections[probe.collection]
            item = reading.get(collection, probe.key, using=alias)
            questions = dict(_questions(collection, item, alias)) if item else {}
            found = _ask(collection, questions[probe.mode], probe.mode, alias)
        except (KeyError, DatabaseError, VectorError, EnvironmentProblem) as error:
            texts.append(f"{about} cannot be asked ({type(error).__name__})")
            continue
        if not _same(probe.found, found):
            texts.append(f"{about} finds something else")
    return texts


def _same(expected: Sequence[tuple[str, float]], found: Sequence[tuple[str, float]]) -> bool:
    return len(expected) == len(found) and all(
        key == other and isclose(score, another, abs_tol=_TOLERANCE)
        for (key, score), (other, another) in zip(expected, found, strict=True)
    )


def _spread(collection: Collection, alias: str) -> Iterator[StoredItem]:
    """Some items, from the first to the last, the same each time."""
    first = next(reading.iterate(collection, batch=1, using=alias), None)
    if first is None:
        return
    ((last,),) = execute(alias, last_id(Tables.of(collection)))
    step = max(1, ((last or 0) - first.id) // ITEMS)
    seen = set()
    for after in islice(range(first.id - 1, last or 0, step), ITEMS):
        item = next(reading.iterate(collection, after=after, batch=1, using=alias), None)
        if item is not None and item.key not in seen:
            seen.add(item.key)
            yield item


def _questions(collection: Collection, item: StoredItem, alias: str) -> Iterator[tuple[str, dict[str, Any]]]:
    vectors = reading.vectors_by_key(collection, [item.key], using=alias)
    if item.key in vectors:
        yield "semantic", {"vector": vectors[item.key]}
    if match_expression(words := (item.title or item.text)[:MAX_QUERY]):
        yield "keyword", {"query": words}


def _ask(collection: Collection, question: dict[str, Any], mode: str, alias: str) -> list[tuple[str, float]]:
    result = search(collection, **question, mode=mode, k=_K, parts=(), using=alias)
    return [(hit.key, round(float(hit.score), 9)) for hit in result.hits]

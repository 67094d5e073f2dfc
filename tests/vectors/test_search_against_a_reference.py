"""What a search answers is what plain Python makes of all rows, on files and on a server."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vectors import store
from vectors.codec import to_blob
from vectors.fulltext import match_expression
from vectors.models import Collection
from vectors.rows import execute
from vectors.search import FUSIONS, MODES, SearchResult, search
from vectors.sql import DISTANCE, Tables
from vectors.store import Item
from vectors.strategies.codes import Snapshot

# Few of everything, so that ranks tie, legs end early and candidates run out.
LEG, PER_ROW, CANDIDATES = 4, 2, 5
_WORDS = ["fox", "whale", "tea", "東京", "京都"]
_TEXTS = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=4).map(" ".join)
_VECTORS = st.lists(st.integers(-2, 2), min_size=3, max_size=3).filter(any)
_ROWS = st.lists(st.tuples(_TEXTS, _VECTORS, st.integers(0, 2)), max_size=30)
_FILTERS: list[tuple[Any, Callable[[int], bool]]] = [
    (None, lambda _: True),
    ({"n": 1}, lambda n: n == 1),
    ({"n": {"gte": 1}}, lambda n: n >= 1),
    ({"not": {"n": 2}}, lambda n: n != 2),
    ({"n": 7}, lambda _: False),
]
_names = count(1)


@dataclass(frozen=True)
class Asked:
    query: str
    vector: list[int]
    k: int
    mode: str
    fusion: str
    strategy: str
    weight: float
    condition: tuple[Any, Callable[[int], bool]]


_ASKED = st.builds(
    Asked,
    query=_TEXTS | st.sampled_from(["?!", "fox fox whale unheard"]),
    vector=_VECTORS,
    k=st.integers(1, 12) | st.just(1_000),
    mode=st.sampled_from(MODES),
    fusion=st.sampled_from(FUSIONS),
    strategy=st.sampled_from(["exact", "quantised"]),
    weight=st.sampled_from([0.0, 0.3, 1.0]),
    condition=st.sampled_from(_FILTERS),
)
# Rows to add, keys to delete (every n-th), then searches.
_ROUNDS = st.lists(
    st.tuples(_ROWS, st.integers(2, 9), st.lists(_ASKED, min_size=1, max_size=4)), min_size=1, max_size=3
)


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vectors.search._MIN_LEG", LEG)
    monkeypatch.setattr("vectors.search._LEG_PER_ROW", PER_ROW)
    monkeypatch.setattr("vectors.strategies.quantised.MIN_CANDIDATES", CANDIDATES)
    monkeypatch.setattr("vectors.strategies.quantised._CANDIDATES_PER_ROW", 1)
    monkeypatch.setattr("vectors.strategies.quantised._FILTERED_CANDIDATES_FACTOR", 2)
    monkeypatch.setattr("vectors.strategies.quantised._MIN_TAIL", 8)


@dataclass
class Looked:
    """The ids that codes proposed, and up to which id there were codes; nothing in an exact search."""

    ids: set[int] = field(default_factory=set)
    size: int = 0
    last_id: int = 0


@contextmanager
def looked_at() -> Iterator[Looked]:
    seen = Looked()
    candidates = Snapshot.candidates

    def remember(self: Snapshot, vector: Any, number: int) -> Any:
        found = candidates(self, vector, number)
        seen.ids, seen.size, seen.last_id = set(found.tolist()), len(self), self.last_id
        return found

    with mock.patch.object(Snapshot, "candidates", remember):
        yield seen


def reference(
    collection: Collection, asked: Asked, seen: Looked, using: str
) -> list[tuple[str, float | None, float, dict[str, int | None]]]:
    """Hits (key, distance, score, ranks) of all rows, sorted here."""
    tables = Tables.of(collection)
    leg = max(LEG, PER_ROW * asked.k) if asked.mode == "hybrid" else asked.k
    _, matches = asked.condition
    rows = execute(using, (f"SELECT id, key, metadata FROM {tables.items}", []))
    keys = {number: key for number, key, metadata in rows if matches(json.loads(metadata)["n"])}
    vector = np.array(asked.vector, np.float64)
    if collection.metric == "cosine":
        vector /= np.linalg.norm(vector)
    blob = to_blob(vector.astype(np.float32))
    measure = f"SELECT id, {DISTANCE[collection.metric]}(embedding, %s) FROM {tables.vectors}"
    distances: dict[int, float] = dict(execute(using, (measure, [blob])))
    bm25: dict[int, float] = {}
    if asked.mode != "semantic" and (match := match_expression(asked.query)):
        words = f"SELECT rowid, -bm25({tables.fts}, 2.0, 1.0) FROM {tables.fts} WHERE {tables.fts} MATCH %s"
        bm25 = {number: one for number, one in execute(using, (words, [match])) if number in keys}
    by_words = sorted(bm25, key=lambda one: (-bm25[one], one))[:leg]
    if asked.mode == "keyword":
        places = enumerate(by_words, 1)
        return [(keys[one], None, bm25[one], {"keyword": at, "semantic": None}) for at, one in places]

    near = sorted(pool(keys, asked, seen, leg), key=lambda one: (distances[one], one))[:leg]
    if asked.mode == "semantic" or not match_expression(asked.query):
        return [
            (keys[one], distances[one], -distances[one], {"keyword": None, "semantic": at})
            for at, one in enumerate(near[: asked.k], 1)
        ]
    found = sorted({*near, *by_words}, key=lambda one: (distances[one], one))
    ranks = {
        one: {
            "keyword": by_words.index(one) + 1 if one in by_words else None,
            "semantic": at if at <= leg else None,
        }
        for at, one in enumerate(found, 1)
    }
    far, nearest = (max(distances[one] for one in found), distances[found[0]]) if found else (0, 0)

    def score(one: int) -> float:
        if asked.fusion == "rrf":
            return sum(1 / (60 + rank) for rank in ranks[one].values() if rank)
        words = bm25[one] / bm25[by_words[0]] if one in by_words else 0.0
        meaning = (far - distances[one]) / (far - nearest) if far > nearest else 1.0
        return asked.weight * words + (1 - asked.weight) * meaning

    best = sorted(found, key=lambda one: (-score(one), one))[: asked.k]
    return [(keys[one], distances[one], score(one), ranks[one]) for one in best]


def pool(keys: dict[int, str], asked: Asked, seen: Looked, leg: int) -> list[int]:
    """The rows whose distance counts: all, or those that codes proposed and all newer ones."""
    wanted = max(CANDIDATES, asked.k, leg) * (1 if asked.condition[0] is None else 2)
    proposed = min(seen.size, wanted)
    if proposed == seen.size:
        return list(keys)
    enough = (proposed + 1) // 2 if asked.condition[0] is None else wanted // 2
    if sum(one in keys for one in seen.ids) < enough:
        return list(keys)
    return [one for one in keys if one in seen.ids or one > seen.last_id]


def check(rounds: list[Any], metric: str, using: str) -> None:
    """Fill a collection, change and search it; compare each answer."""
    name = f"c{next(_names)}"
    collection = store.create_collection(name, embedder="", dimensions=3, metric=metric, using=using)
    numbers = count()
    for rows, every, searches in rounds:
        items = [
            Item(f"k{next(numbers)}", text, vector=vector, metadata={"n": n}) for text, vector, n in rows
        ]
        store.upsert(collection, items, using=using)
        for asked in searches:
            with looked_at() as seen:
                found = ask(name, asked, metric, collection, using)
            compare(found, reference(collection, asked, seen, using))
        doomed = [item.key for item in store.iterate(collection, using=using)][::every]
        store.delete(collection, doomed, using=using)
    collection.delete(using=using)


def ask(name: str, asked: Asked, metric: str, collection: Collection, using: str) -> SearchResult:
    Collection.objects.using(using).filter(pk=collection.pk).update(keyword_weight=asked.weight)
    return search(
        name,
        asked.query,
        vector=None if asked.mode == "keyword" else asked.vector,
        k=asked.k,
        mode=asked.mode,
        filter=asked.condition[0],
        fusion=asked.fusion,
        strategy=asked.strategy if metric == "cosine" else "exact",
        using=using,
    )


def compare(found: SearchResult, expected: list[Any]) -> None:
    assert [(hit.key, hit.distance, hit.ranks) for hit in found.hits] == [
        (key, distance, ranks) for key, distance, _, ranks in expected
    ]
    assert [hit.score for hit in found.hits] == pytest.approx([one[2] for one in expected], abs=1e-9)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_small")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=_ROUNDS, metric=st.sampled_from(["cosine", "cosine", "l2"]))
def test_a_search_is_what_python_makes_of_all_rows(rounds: list[Any], metric: str) -> None:
    check(rounds, metric, "default")


@pytest.mark.sqld
@pytest.mark.usefixtures("_small")
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=_ROUNDS)
def test_a_server_answers_as_a_file_does(server_database: str, rounds: list[Any]) -> None:
    check(rounds, "cosine", server_database)

"""What a search answers is what plain Python makes of all rows, on files and on a server."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vectors import store, strategies
from vectors.codec import to_blob, unit
from vectors.fulltext import match_expression
from vectors.index.training import rebuild
from vectors.models import Collection
from vectors.rows import execute
from vectors.search import FUSIONS, MODES, SearchResult, search
from vectors.sql import DISTANCE, Tables
from vectors.store import Item
from vectors.strategies.base import Request, Scan
from vectors.strategies.candidates import Candidates

# Few of everything, so that ranks tie, legs end early, blocks fill and candidates run out.
LEG, PER_ROW = 4, 2
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
    strategy=st.sampled_from(["exact", "quantised", "ivf"]),
    weight=st.sampled_from([0.0, 0.3, 1.0]),
    condition=st.sampled_from(_FILTERS),
)
# Rows to add, lists to make an index with (None: none is made), searches, keys to delete (every n-th).
_ROUNDS = st.lists(
    st.tuples(
        _ROWS,
        st.sampled_from([None, 0, 1, 3]),
        st.lists(_ASKED, min_size=1, max_size=4),
        st.integers(2, 9),
    ),
    min_size=1,
    max_size=3,
)


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vectors.search._MIN_LEG", LEG)
    monkeypatch.setattr("vectors.search._LEG_PER_ROW", PER_ROW)
    monkeypatch.setattr("vectors.index.blocks.STRIDE", 2)
    monkeypatch.setattr("vectors.index.blocks.MIN_ROWS", 5)
    monkeypatch.setattr("vectors.index.blocks._BLOCK_BYTES", 24 * 4)
    monkeypatch.setattr("vectors.index.codes._MIN_SHORTLIST", 4)
    monkeypatch.setattr("vectors.index.codes.CONFIDENCE", 0.5)
    monkeypatch.setattr("vectors.strategies.default_probes", lambda lists: 1)
    monkeypatch.setattr(
        "vectors.planner.exact_cost", lambda *_, **__: 1e9
    )  # never quicker than looking farther


@dataclass
class Looked:
    """The scan that gave the answer."""

    scan: Scan | None = None

    def rows(self, keys: dict[int, str], asked: Asked) -> list[int]:
        """The matching rows whose distance counts: all, or those that codes proposed and newer ones."""
        if not isinstance(self.scan, Candidates):
            return list(keys)
        found = self.scan._found
        ids = set(found.ids.tolist())
        there = len(ids & keys.keys())
        if found.all:
            assert all(one in ids or one > found.last_id for one in keys)
        else:
            # Looked far enough: as many matches as there have to be among the nearest `depth`.
            assert there * self.scan._depth >= 0.95 * asked.k * len(ids)
        return [one for one in keys if one in ids or one > found.last_id]


@contextmanager
def looked_at() -> Iterator[Looked]:
    seen = Looked()
    scan = strategies._Choice.scan

    def remember(self: Any, request: Request) -> Scan:
        seen.scan = scan(self, request)
        return seen.scan

    with mock.patch.object(strategies._Choice, "scan", remember):
        yield seen


def reference(
    collection: Collection, asked: Asked, seen: Looked, using: str
) -> list[tuple[str, float | None, float, dict[str, int | None]]]:
    """Hits (key, distance, score, ranks) of all rows, sorted here."""
    tables = Tables.of(collection)
    has_words = asked.mode != "semantic" and match_expression(asked.query)
    leg = max(LEG, PER_ROW * asked.k) if asked.mode == "hybrid" and has_words else asked.k
    _, matches = asked.condition
    rows = execute(using, (f"SELECT id, key, metadata FROM {tables.items}", []))
    keys = {number: key for number, key, metadata in rows if matches(json.loads(metadata)["n"])}
    vector = np.array(asked.vector, np.float32)
    blob = to_blob(unit(vector) if collection.metric == "cosine" else vector)
    measure = f"SELECT id, {DISTANCE[collection.metric]}(embedding, %s) FROM {tables.vectors}"
    distances: dict[int, float] = dict(execute(using, (measure, [blob])))
    # Rounding makes a cosine distance of nothing less than that.
    shown = {one: max(far, 0.0) for one, far in distances.items()}
    bm25: dict[int, float] = {}
    if asked.mode != "semantic" and (match := match_expression(asked.query)):
        words = f"SELECT rowid, -bm25({tables.fts}, 2.0, 1.0) FROM {tables.fts} WHERE {tables.fts} MATCH %s"
        bm25 = {number: one for number, one in execute(using, (words, [match])) if number in keys}
    by_words = sorted(bm25, key=lambda one: (-bm25[one], one))[:leg]
    if asked.mode == "keyword":
        places = enumerate(by_words, 1)
        return [(keys[one], None, bm25[one], {"keyword": at, "semantic": None}) for at, one in places]

    near = sorted(seen.rows(keys, asked), key=lambda one: (distances[one], one))[:leg]
    if asked.mode == "semantic" or not match_expression(asked.query):
        return [
            (keys[one], shown[one], -distances[one], {"keyword": None, "semantic": at})
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

    best = sorted(found, key=lambda one: (-score(one), distances[one], one))[: asked.k]
    return [(keys[one], shown[one], score(one), ranks[one]) for one in best]


def check(rounds: list[Any], metric: str, using: str) -> None:
    """Fill a collection, change and search it; compare each answer."""
    name = f"c{next(_names)}"
    collection = store.create_collection(name, embedder="", dimensions=3, metric=metric, using=using)
    numbers = count()
    for rows, lists, searches, every in rounds:
        items = [
            Item(f"k{next(numbers)}", text, vector=vector, metadata={"n": n}) for text, vector, n in rows
        ]
        store.upsert(collection, items, using=using)
        if lists is not None:
            rebuild(collection, lists=lists, using=using)
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
        strategy=asked.strategy,
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

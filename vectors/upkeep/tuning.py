"""Measure strategies and settings on a collection's own rows, and keep the cheapest that finds enough.

Rows are the queries, each leaving itself out, unless there are others: what people ask may be stranger than
what is stored. The truth comes from every embedding, read once. Trials go through `search`, as users do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from django.db import connections, transaction
from django.utils import timezone

from vectors.codec import Matrix, as_matrix
from vectors.embedders import for_collection
from vectors.errors import IndexBusy, InvalidQuery, shown
from vectors.index import blocks, sql
from vectors.index.codes import CONFIDENCE, Ids
from vectors.index.state import State, read_state, while_it_exists
from vectors.index.truth import Truth
from vectors.limits import MAX_K
from vectors.models import Collection, Index, Metric
from vectors.reading import vectors_by_id
from vectors.relevance.judging import judged_queries
from vectors.rows import execute, writing_alias
from vectors.search import SearchResult, search
from vectors.sql import Tables, id_list
from vectors.strategies import Request, costs_of, index_of
from vectors.upkeep.stats import Stats, read_stats

QUERIES: Final = 200
_CONFIDENCES: Final = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
_PROBE_FACTORS: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
# Exact searches of a large collection take long, and are right anyway.
_EXACT_SECONDS: Final = 10.0
_MIN_QUERIES: Final = 10
_WARM: Final = 5
# Cosine distances that differ by less, and others by that share of them, are a tie.
_TIE: Final = 1e-5

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """What one strategy with some settings gave over `n` queries: milliseconds, and recall@k, 0…1."""

    strategy: str
    settings: Mapping[str, float]
    n: int
    recall: float
    p50_ms: float
    p95_ms: float
    bytes_per_row: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "strategy": self.strategy,
            "settings": dict(self.settings),
            "n": self.n,
            "recall": round(self.recall, 4),
            "p50_ms": round(self.p50_ms, 3),
            "p95_ms": round(self.p95_ms, 3),
            "bytes_per_row": None if self.bytes_per_row is None else round(self.bytes_per_row, 1),
        }


@dataclass(frozen=True, slots=True)
class Tuning:
    """All trials, and the one chosen: the cheapest whose recall@k is at least `target`.

    `version` is that of the index that was measured, and `settings` what it is to go by from now on, see
    `apply`. It was asked with so many `queries`: rows of its `own`, or what people asked.
    """

    collection: str
    version: int
    rows: int
    k: int
    target: float
    trials: tuple[Trial, ...]
    chosen: Trial
    settings: Mapping[str, Any]
    queries: int = 0
    is_own: bool = True

    def as_json(self) -> dict[str, Any]:
        return {
            "collection": self.collection,
            "rows": self.rows,
            "queries": self.queries,
            "asked_with": "rows" if self.is_own else "queries",
            "k": self.k,
            "target": self.target,
            "trials": [trial.as_json() for trial in self.trials],
            "chosen": self.chosen.as_json(),
        }


def tune(
    collection: Collection,
    *,
    target: float = 0.98,
    k: int = 10,
    queries: Matrix | Sequence[Any] | None = None,
    sample: int = QUERIES,
    using: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Tuning:
    """Try every strategy whose index is there; saves nothing.

    `queries` are vectors, (n, dimensions); None takes `sample` rows. Raises InvalidQuery for arguments out of
    range, and where the collection has fewer than two rows; IndexBusy where too much of it changes meanwhile,
    and CollectionNotFound where it is deleted. `progress` hears of trials done, out of how many.
    """
    if not 0 < target <= 1:
        raise InvalidQuery("recall", "a number above 0, up to 1", shown(target))
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k < MAX_K:
        raise InvalidQuery("k", f"an integer from 1 to {MAX_K - 1:,}", shown(k))
    if sample < 1:
        raise InvalidQuery("queries", "at least one", shown(sample))
    alias = writing_alias(collection, using)
    with while_it_exists(collection, alias):
        bench = _Bench(collection, k, queries, sample, alias)
        plans = list(_plans(bench.state))
        trials = []
        for done, (strategy, settings) in enumerate(plans):
            progress(done, len(plans))
            trials.append(bench.run(strategy, settings))
        progress(len(plans), len(plans))
    good = [trial for trial in trials if trial.recall >= target]
    if not good:
        # Exact search finds all that was there when it began.
        expected = "rows that stay as they are while settings are tried"
        raise IndexBusy("collection", expected, "rows that came or went", "Tune it when less is written.")
    chosen = min(good, key=lambda trial: trial.p50_ms)
    return Tuning(
        collection.name,
        bench.state.version,
        bench.stats.rows,
        k,
        target,
        tuple(trials),
        chosen,
        bench.settings(good, target),
        bench.count,
        queries is None,
    )


def judged_vectors(collection: Collection, most: int = QUERIES) -> list[Any]:
    """The collection's judged queries as vectors, to tune with; raises InvalidQuery where there are none."""
    texts = [one.query for one in judged_queries(collection)][:most]
    if not texts:
        expected, hint = "judged queries", "Import some with import_judgements, or ask with rows."
        raise InvalidQuery("judged", expected, f"none of {shown(collection.name)}", hint)
    embedder = for_collection(collection)
    return [embedder.embed_query(text) for text in texts]


def apply(collection: Collection, tuning: Tuning, *, using: str | None = None) -> None:
    """Save the settings, and what was measured; processes go by them as they next read the index's row.

    Raises IndexBusy where another index was built since, and CollectionNotFound where there is none any more.
    """
    alias = writing_alias(collection, using)
    with while_it_exists(collection, alias), transaction.atomic(using=alias):
        index, _ = Index.objects.using(alias).get_or_create(pk=collection.pk)
        if index.version != tuning.version:
            raise IndexBusy("collection", "the index that was measured", "one built since", "Tune it again.")
        measured = {**tuning.as_json(), "at": timezone.now().isoformat()}
        Index.objects.using(alias).filter(pk=collection.pk).update(
            settings=dict(tuning.settings), tuning=measured
        )
    index_of(connections[alias], collection).forget()


def _plans(state: State) -> Iterator[tuple[str, dict[str, float]]]:
    """The strategies and settings to try, those that an index is there for."""
    yield "exact", {}
    if state.version:
        for confidence in _CONFIDENCES:
            yield "quantised", {"confidence": confidence}
    if state.lists:
        now = int(state.settings.get("ivf", {}).get("probes", 0)) or max(1, state.lists // 16)
        probes = {min(state.lists, max(1, round(now * factor))) for factor in _PROBE_FACTORS}
        for number in sorted(probes):
            for confidence in (1.5, CONFIDENCE, 2.5):
                yield "ivf", {"probes": number, "confidence": confidence}
    if state.is_diskann:
        yield "diskann", {}


class _Bench:
    """The queries, their truth, and the searches."""

    def __init__(self, collection: Collection, k: int, queries: Any, sample: int, alias: str) -> None:
        self._collection, self._k, self._alias = collection, k, alias
        self._tables = Tables.of(collection)
        self.state = read_state(self._tables, alias)
        self.stats = read_stats(collection, using=alias)
        self._own: Ids | None = None
        if queries is None:
            self._own, self._queries = self._sample(sample)
        else:
            self._queries = as_matrix(queries, collection.dimensions, collection.metric, "queries")
        if not len(self._queries):
            raise InvalidQuery("queries", "a collection with two rows or more", f"{self.stats.rows} rows")
        self._far = self._limits()

    @property
    def count(self) -> int:
        """How many queries there are."""
        return len(self._queries)

    def run(self, strategy: str, settings: dict[str, float]) -> Trial:
        """Search for every query; exact searches stop after ten seconds, at ten queries or more."""
        index = index_of(connections[self._alias], self._collection)
        recalls: list[float] = []
        times: list[float] = []
        started = time.perf_counter()
        with index.trying({strategy: settings}):
            for query in self._queries[:_WARM]:
                self._search(query, strategy)
            for at, query in enumerate(self._queries):
                before = time.perf_counter()
                found = self._search(query, strategy)
                times.append(1000 * (time.perf_counter() - before))
                recalls.append(self._recall(at, found))
                slow = strategy == "exact" and time.perf_counter() - started > _EXACT_SECONDS
                if slow and len(times) >= _MIN_QUERIES:
                    break
        return Trial(
            strategy,
            settings,
            len(times),
            float(np.mean(recalls)),
            float(np.median(times)),
            float(np.percentile(times, 95)),
            _bytes_per_row(self.stats, strategy),
        )

    def settings(self, good: Sequence[Trial], target: float) -> dict[str, Any]:
        """What to keep: of each strategy the cheapest settings that find enough, and what they cost."""
        kept: dict[str, Any] = {
            "k": self._k,
            "target": target,
            "tuned_at": timezone.now().isoformat(),
            "costs": {},
        }
        if "ivf" in self.state.settings:
            kept["ivf"] = dict(self.state.settings["ivf"])
        request = Request(self._queries[0], self._k, self._k)
        for strategy in {trial.strategy for trial in good}:
            best = min((one for one in good if one.strategy == strategy), key=lambda one: one.p50_ms)
            if best.settings:
                kept[strategy] = {**best.settings, "recall": round(best.recall, 4)}
            estimated = costs_of(
                replace(self.state, settings={**self.state.settings, **kept}), self._tables, request
            )
            if strategy in estimated:
                kept["costs"][strategy] = round(best.p50_ms / estimated[strategy], 4)
        return kept

    def _search(self, query: Matrix, strategy: str) -> SearchResult:
        k = self._k if self._own is None else self._k + 1
        return search(
            self._collection, vector=query, k=k, mode="semantic", strategy=strategy, using=self._alias
        )

    def _recall(self, at: int, found: SearchResult) -> float:
        """The share of the true k nearest that were found; whatever is as near as the k-th counts."""
        own = None if self._own is None else self._own[at]
        far, expected = self._far[at]
        far += _TIE * (1.0 if self._tables.metric == Metric.COSINE else far)
        near = [hit for hit in found.hits if hit.id != own and (hit.distance or 0.0) <= far]
        return min(1.0, len(near) / expected) if expected else 1.0

    def _sample(self, count: int) -> tuple[Ids, Matrix]:
        rows = self.stats.rows if self.stats.rows > 1 else 0
        places = np.linspace(1, rows, min(count, rows), dtype=np.int64)
        picked = execute(self._alias, sql.ids_at(self._tables, id_list(places)))
        return vectors_by_id(self._tables, self._alias, np.array([row[0] for row in picked], np.int64))

    def _limits(self) -> list[tuple[float, int]]:
        """Of each query: the distance of its k-th nearest row, and how many rows there are up to k."""
        truth = Truth(self._queries, self._k, self._tables.metric, own=self._own)
        for ids, matrix in blocks.read_vectors(self._tables, self._alias, 0, blocks.NO_END):
            truth.add(ids, matrix)
        return [
            self._limit(query, ids[ids >= 0]) for query, ids in zip(self._queries, truth.ids, strict=True)
        ]

    def _limit(self, query: Matrix, ids: Ids) -> tuple[float, int]:
        """The distance of the farthest of some rows, in float64, and how many of them are there.

        How the truth ranks rows cancels out what they have in common, which under l2 may be most of it.
        """
        _, matrix = vectors_by_id(self._tables, self._alias, np.sort(ids))
        if not len(matrix):
            return 0.0, 0
        one, rows = query.astype(np.float64), matrix.astype(np.float64)
        if self._tables.metric == Metric.COSINE:
            distances = 1 - rows @ one / (np.linalg.norm(rows, axis=1) * np.linalg.norm(one))
        else:
            distances = np.linalg.norm(rows - one, axis=1)
        return float(distances.max()), len(matrix)


def _bytes_per_row(stats: Stats, strategy: str) -> float | None:
    """Bytes on disk that the strategy needs for each row, embeddings included."""
    if stats.sizes is None or not stats.rows:
        return None
    needed = {
        "exact": ("vectors",),
        "quantised": ("vectors", "blocks"),
        "ivf": ("vectors", "blocks", "lists", "centroids"),
        "diskann": ("vectors", "diskann"),
    }[strategy]
    return sum(stats.sizes[name] for name in needed) / stats.rows

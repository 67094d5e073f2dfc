"""Measure a collection's search, keep the figures, and compare with the run before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from vectors.errors import InvalidQuery, shown
from vectors.evaluation import Judged
from vectors.models import Collection
from vectors.reading import count
from vectors.relevance.intervals import Interval, mean_interval
from vectors.relevance.known_items import RECIPE
from vectors.relevance.measuring import Measured, Options, Wrap, measure
from vectors.relevance.models import EvaluationRun, QuerySource, hash_query
from vectors.relevance.queries import Queries
from vectors.rows import writing_alias

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed since the run `before`: this run minus that one, on the `paired` queries of both.

    Queries of only one run are left out, and so are those that were judged otherwise since.
    """

    before: EvaluationRun
    paired: int
    left_out: int
    differences: dict[str, Interval]

    def as_json(self) -> dict[str, Any]:
        return {
            "run": self.before.pk,
            "paired": self.paired,
            "left_out": self.left_out,
            "differences": {name: one.as_dict() for name, one in self.differences.items()},
        }


@dataclass(frozen=True, slots=True)
class Report:
    """One mode: the run, saved or not, and the comparison, None where there is nothing to compare with."""

    run: EvaluationRun
    comparison: Comparison | None

    def as_json(self) -> dict[str, Any]:
        return {
            "run": self.run.pk,
            "mode": self.run.mode,
            "n": self.run.n,
            "settings": self.run.settings,
            "metrics": self.run.metrics,
            "compared": self.comparison.as_json() if self.comparison else None,
        }


def evaluate_queries(
    collection: Collection,
    queries: Queries,
    options: Options,
    *,
    compare: int | None = None,
    store: bool = True,
    wrap: Wrap = iter,
    using: str | None = None,
) -> list[Report]:
    """Measure each mode on `queries`, which are of `collection`, and store a run of each.

    A run is compared with the last one of the same collection, mode, source of queries and k, or with the one
    whose id is `compare`, which may be of another mode. Raises InvalidQuery where `compare` is no run of this
    collection, source and k, and what `measure` raises.
    """
    alias = writing_alias(collection, using)
    chosen = None if compare is None else _chosen(collection, queries.source, options, compare, alias)
    searched_in = using if queries.collection is collection else None
    measured = measure(queries.collection, queries.judged, options, wrap=wrap, using=searched_in)
    reports = []
    for one in measured:
        run = _run(collection, queries, one, count(collection, using=using))
        before = chosen or _previous(run, alias)
        reports.append(Report(run, compared(run, before) if before else None))
        if store:
            run.save(using=alias)
    return reports


def compared(run: EvaluationRun, before: EvaluationRun) -> Comparison | None:
    """`run` minus `before`, paired by query; None where no query is in both."""
    both = [
        (scores[1:], before.scores[query][1:])
        for query, scores in run.scores.items()
        if query in before.scores and before.scores[query][0] == scores[0]
    ]
    if not both:
        return None
    pairs = np.array(both, np.float64)
    differences = pairs[:, 0] - pairs[:, 1]
    left_out = len(run.scores.keys() | before.scores.keys()) - len(both)
    intervals = {name: mean_interval(differences[:, at]) for at, name in enumerate(run.metrics)}
    return Comparison(before, len(both), left_out, intervals)


def _run(collection: Collection, queries: Queries, measured: Measured, rows: int) -> EvaluationRun:
    settings = measured.settings
    if queries.source == QuerySource.KNOWN_ITEMS:
        settings = {**settings, "recipe": RECIPE}
    metrics = {name: mean_interval(measured.scores[:, at]) for at, name in enumerate(measured.names)}
    return EvaluationRun(
        collection_id=collection.pk,
        mode=measured.mode,
        source=queries.source,
        settings=settings,
        index={
            "embedder": collection.embedder,
            "model": collection.model,
            "dimensions": collection.dimensions,
            "metric": collection.metric,
            "generation": collection.generation,
            "rows": rows,
            "strategies": sorted(measured.strategies),
        },
        n=len(queries.judged),
        metrics={name: interval.as_dict() for name, interval in metrics.items()},
        scores=_scores(queries.judged, measured),
    )


def _scores(judged: Sequence[Judged], measured: Measured) -> dict[str, list[Any]]:
    rounded = np.round(measured.scores, _DIGITS).tolist()
    return {
        hash_query(one.query)[:16]: [_digest(one), *scores]
        for one, scores in zip(judged, rounded, strict=True)
    }


def _digest(judged: Judged) -> str:
    """What stands for the grades of a query: where they change, its scores no longer compare."""
    text = json.dumps(sorted(judged.relevant.items()), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()[:8]


def _previous(run: EvaluationRun, alias: str) -> EvaluationRun | None:
    runs = EvaluationRun.objects.using(alias).filter(
        collection_id=run.collection_id, mode=run.mode, source=run.source
    )
    for pk, settings in runs.values_list("pk", "settings").iterator(chunk_size=100):
        if all(settings.get(name) == run.settings.get(name) for name in ("k", "recipe")):
            return runs.get(pk=pk)
    return None


def _chosen(collection: Collection, source: str, options: Options, pk: int, alias: str) -> EvaluationRun:
    runs = EvaluationRun.objects.using(alias).filter(collection_id=collection.pk)
    run = runs.filter(pk=pk).first()
    wanted = f"a run of {collection.name!r} on {source} with k = {options.k}"
    if run is None:
        there = ", ".join(str(one) for one in runs.filter(source=source).values_list("pk", flat=True)[:10])
        raise InvalidQuery(
            "compare", wanted, shown(pk), f"There are: {there}." if there else "There is none."
        )
    recipe = RECIPE if source == QuerySource.KNOWN_ITEMS else None
    found = (run.source, run.settings.get("k"), run.settings.get("recipe"))
    if found != (source, options.k, recipe):
        raise InvalidQuery("compare", wanted, f"one on {run.source} with k = {run.settings.get('k')}")
    return run

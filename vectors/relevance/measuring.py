"""Search for judged queries and score each ranking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from vectors.embedders import for_collection
from vectors.errors import InvalidQuery, shown
from vectors.evaluation import CUTOFF, Judged, mrr, ndcg, recall
from vectors.limits import MAX_K
from vectors.models import Collection
from vectors.relevance.intervals import Scores
from vectors.search import FUSIONS, MODES, keyword_weight, search

# A query in each of the two languages that weights are chosen by, to ask what a weight is now.
_OTHER: Final = "a"
_CJK: Final = "東京"

Wrap = Callable[[Sequence[Judged]], Iterable[Judged]]


@dataclass(frozen=True, slots=True)
class Options:
    """How to search: modes, how hybrid fuses, the keyword weight (None: the collection's), k of recall@k."""

    modes: Sequence[str] = MODES
    fusion: str = "convex"
    keyword_weight: float | None = None
    k: int = CUTOFF

    def __post_init__(self) -> None:
        for mode in self.modes:
            if mode not in MODES:
                raise InvalidQuery("mode", ", ".join(MODES), shown(mode))
        if self.fusion not in FUSIONS:
            raise InvalidQuery("fusion", " or ".join(FUSIONS), shown(self.fusion))
        weight = self.keyword_weight
        if weight is not None and not 0 <= weight <= 1:
            raise InvalidQuery("keyword_weight", "a number from 0 to 1", shown(weight))
        if not 1 <= self.k <= MAX_K:
            raise InvalidQuery("k", f"an integer from 1 to {MAX_K:,}", shown(self.k))


@dataclass(slots=True)
class Measured:
    """One mode: scores float64 (n, 3) in the order of `names`, and the strategies that were used."""

    mode: str
    names: tuple[str, str, str]
    settings: dict[str, Any]
    scores: Scores
    strategies: set[str] = field(default_factory=set)


def modes_of(collection: Collection) -> tuple[str, ...]:
    """The modes in which the collection can be searched with text: without an embedder, by keywords only."""
    return MODES if collection.embedder else ("keyword",)


def measure(
    collection: Collection,
    queries: Sequence[Judged],
    options: Options,
    *,
    wrap: Wrap = iter,
    using: str | None = None,
) -> list[Measured]:
    """Scores of each query, 0…1, mode by mode: nDCG@10, MRR@10 and recall@k (see `vectors.evaluation`).

    Each query is embedded once. `wrap` goes around the queries, for a progress bar. Raises InvalidQuery
    without a query, and what `search` raises.
    """
    if not queries:
        raise InvalidQuery("queries", "at least one judged query", "none")
    weighed = with_weight(collection, options.keyword_weight)
    needs_vector = any(mode != "keyword" for mode in options.modes)
    embedder = for_collection(collection) if needs_vector else None
    names = (f"ndcg@{CUTOFF}", f"mrr@{CUTOFF}", f"recall@{options.k}")
    measured = [
        Measured(mode, names, _settings(weighed, mode, options), np.zeros((len(queries), 3)))
        for mode in options.modes
    ]
    for at, judged in enumerate(wrap(queries)):
        vector = embedder.embed_query(judged.query) if embedder else None
        for one in measured:
            found = search(
                weighed,
                judged.query,
                vector=None if one.mode == "keyword" else vector,
                k=max(CUTOFF, options.k),
                mode=one.mode,
                fusion=options.fusion,
                parts=(),
                using=using,
            )
            one.scores[at] = score([hit.key for hit in found.hits], judged, options.k)
            one.strategies.add(str(found.plan["strategy"]))
    return measured


def score(ranking: Sequence[str], judged: Judged, k: int = CUTOFF) -> tuple[float, float, float]:
    """nDCG@10, MRR@10 and recall@k of one ranking, best first."""
    relevant = judged.relevant
    return ndcg(ranking, relevant), mrr(ranking, relevant), recall(ranking, relevant, k)


def with_weight(collection: Collection, weight: float | None) -> Collection:
    """The collection, or for a weight a copy that fuses with it in all languages."""
    if weight is None:
        return collection
    weighed = copy(collection)
    weighed.keyword_weight = weighed.keyword_weight_cjk = weight
    return weighed


def current_weights(collection: Collection) -> dict[str, float]:
    """The keyword weight that a search uses now: for queries mostly in CJK characters, and for others."""
    return {"other": keyword_weight(collection, _OTHER), "cjk": keyword_weight(collection, _CJK)}


def _settings(collection: Collection, mode: str, options: Options) -> dict[str, Any]:
    settings: dict[str, Any] = {"mode": mode, "strategy": collection.strategy, "k": options.k}
    if mode == "hybrid":
        settings["fusion"] = options.fusion
        settings["keyword_weight"] = current_weights(collection) if options.fusion == "convex" else None
    return settings

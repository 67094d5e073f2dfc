"""Choose the keyword weight of hybrid search, for each of the two languages that search tells apart.

Both legs of each query are read once and fused at every weight of a grid. To keep luck out:

- A weight is chosen by the one-standard-error rule (Breiman et al., "Classification and regression trees",
  1984): of all weights whose mean nDCG@10 is within one standard error of the best, paired by query, the one
  nearest to the current weight.
- The gain is measured on queries that had no part in choosing: five folds, each scored at the weight that the
  other four chose.
- The current weight stays unless there are 30 queries and the 95 % interval of that gain lies above zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vectors.embedders import for_collection
from vectors.evaluation import CUTOFF, Judged
from vectors.fulltext import is_mostly_cjk
from vectors.models import Collection
from vectors.relevance.fusing import Legs, best, convex_scores, rrf_scores
from vectors.relevance.intervals import Interval, Scores, mean_interval
from vectors.relevance.known_items import collect, scratch_copy
from vectors.relevance.legs import read_legs
from vectors.relevance.measuring import current_weights
from vectors.relevance.models import QuerySource, hash_query
from vectors.relevance.queries import Queries, open_queries

FOLDS: Final = 5
MIN_QUERIES: Final = 30
LANGUAGES: Final = ("other", "cjk")
_STEPS: Final = 20

Wrap = Callable[[Sequence[Judged]], Iterable[Judged]]


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came out for the queries of one language; all scores are nDCG@10.

    `chosen` is the weight to use, which is `current` where nothing better is certain: `reason` says why.
    `best` is the one that the rule picks from all queries, and `gain` what picking so gains on queries not
    seen (None where there are fewer than five). `rrf_gain` is what fusing by reciprocal ranks, which has no
    weight, gains over the current weight; no collection can be set to it, a search has to ask for it.
    """

    language: str
    source: str
    n: int
    current: float
    best: float
    chosen: float
    reason: str
    score: Interval
    best_score: Interval
    gain: Interval | None
    rrf_gain: Interval
    curve: dict[float, float]

    @property
    def is_change(self) -> bool:
        return self.chosen != self.current

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "n": self.n,
            "current": self.current,
            "best": self.best,
            "chosen": self.chosen,
            "reason": self.reason,
            f"ndcg@{CUTOFF}": self.score.as_dict(),
            f"best_ndcg@{CUTOFF}": self.best_score.as_dict(),
            "gain": self.gain.as_dict() if self.gain else None,
            "rrf_gain": self.rrf_gain.as_dict(),
            "curve": {str(weight): round(score, 4) for weight, score in self.curve.items()},
        }


def tune_collection(
    collection: Collection, source: str | None = None, *, wrap: Wrap = iter, using: str | None = None
) -> dict[str, Tuned]:
    """The weights that suit a collection, by language ("other", "cjk"), judged by the queries of `source`.

    None takes for each language the judgements if it has any, or else known items; a language with neither is
    left out. Raises InvalidQuery where there is no query at all, and EmbedderError.
    """
    with open_queries(collection, source, using=using) as queries:
        tuned = tune(queries, wrap=wrap, using=using if queries.collection is collection else None)
    if source is not None or queries.source == QuerySource.KNOWN_ITEMS:
        return tuned
    made = collect(collection, using=using)
    if rest := [one for one in made.queries if language_of(one.query) not in tuned]:
        with scratch_copy(collection, made.items, using=using) as copied:
            tuned |= tune(Queries(QuerySource.KNOWN_ITEMS, copied, rest), wrap=wrap)
    return tuned


def tune(queries: Queries, *, wrap: Wrap = iter, using: str | None = None) -> dict[str, Tuned]:
    """The weights that suit `queries`, by language ("other", "cjk"); languages without a query are left out.

    Nothing is saved (see `weights.apply`). `wrap` goes around the queries, for a progress bar. Raises
    EmbedderError, for a collection without an embedder too, and what `search` raises.
    """
    embedder = for_collection(queries.collection)
    current = current_weights(queries.collection)
    grids = {language: weight_grid(current[language]) for language in LANGUAGES}
    tables: dict[str, list[tuple[str, Scores]]] = {}
    for one in wrap(queries.judged):
        language = language_of(one.query)
        legs = read_legs(queries.collection, one.query, embedder.embed_query(one.query), using=using)
        row = ndcg_by_weight(legs, one, grids[language])
        tables.setdefault(language, []).append((hash_query(one.query), row))
    return {
        language: tune_language(language, queries.source, tables[language], current[language])
        for language in LANGUAGES
        if language in tables
    }


def language_of(query: str) -> str:
    """Which of the two keyword weights a query has: "cjk" or "other"."""
    return "cjk" if is_mostly_cjk(query) else "other"


def weight_grid(current: float) -> Scores:
    """The weights to try, float64 (W,), rising: 0, 0.05 … 0.95, 0.99, 1 and the current one.

    At 0.99 meaning hardly counts, yet rows without any word of the query still come by distance. At 1 they
    are all alike and come by id, which nDCG does not notice where the relevant rows have the words.
    """
    return np.unique(np.append(np.round(np.arange(_STEPS + 1) / _STEPS, 2), [0.99, current]))


def ndcg_by_weight(legs: Legs, judged: Judged, weights: Scores) -> Scores:
    """nDCG@10 at each of W weights, and last by reciprocal ranks: float64 (W + 1,)."""
    gains = np.array([2.0 ** judged.relevant.get(key, 0) - 1 for key in legs.keys])
    discounts = 1 / np.log2(np.arange(2, CUTOFF + 2))
    ideal_gains = sorted((2.0**grade - 1 for grade in judged.relevant.values()), reverse=True)[:CUTOFF]
    ideal = math.fsum(gain * discount for gain, discount in zip(ideal_gains, discounts, strict=False))
    scores = np.vstack([convex_scores(legs, weights), rrf_scores(legs)])
    order = best(legs, scores)
    ndcg: Scores = (gains[order] @ discounts[: order.shape[1]]) / ideal if ideal else np.zeros(len(scores))
    return ndcg


def tune_language(language: str, source: str, rows: Sequence[tuple[str, Scores]], current: float) -> Tuned:
    """Choose from (hash of the query, what `ndcg_by_weight` gave) of each query, on the grid of `current`."""
    table = np.array([row for _, row in sorted(rows, key=lambda one: one[0])])
    weights, rrf, table = weight_grid(current), table[:, -1], table[:, :-1]
    now = int(np.searchsorted(weights, current))
    picked = choose(table, now, weights)
    gain = _gain(table, now, weights)
    chosen, reason = _verdict(len(table), gain, picked, now)
    return Tuned(
        language=language,
        source=source,
        n=len(table),
        current=current,
        best=float(weights[picked]),
        chosen=float(weights[chosen]),
        reason=reason,
        score=mean_interval(table[:, now]),
        best_score=mean_interval(table[:, picked]),
        gain=gain,
        rrf_gain=mean_interval(rrf - table[:, now]),
        curve=dict(zip(weights.tolist(), table.mean(axis=0).tolist(), strict=True)),
    )


def choose(table: Scores, now: int, weights: Scores) -> int:
    """The place of the weight nearest to the current one within a standard error of the best mean."""
    means = table.mean(axis=0)
    top = int(np.argmax(means))
    behind = table[:, top, None] - table
    errors = (
        behind.std(axis=0, ddof=1) / math.sqrt(len(table))
        if len(table) > 1
        else np.full(len(weights), np.inf)
    )
    good = np.flatnonzero(behind.mean(axis=0) <= errors + 1e-12)
    departures = np.round(np.abs(weights[good] - weights[now]), 9)
    # Of two as near, below and above, the better one.
    return int(good[np.lexsort((-means[good], departures))[0]])


def _gain(table: Scores, now: int, weights: Scores) -> Interval | None:
    """What choosing gains on queries that had no part in it."""
    if len(table) < FOLDS:
        return None
    folds: npt.NDArray[np.int64] = np.arange(len(table)) % FOLDS
    gains = np.empty(len(table))
    for fold in range(FOLDS):
        unseen = folds == fold
        picked = choose(table[~unseen], now, weights)
        gains[unseen] = table[unseen, picked] - table[unseen, now]
    return mean_interval(gains)


def _verdict(n: int, gain: Interval | None, picked: int, now: int) -> tuple[int, str]:
    if picked == now:
        return now, "no other weight is better by more than a standard error"
    if n < MIN_QUERIES or gain is None:
        return now, f"{n} queries are too few, {MIN_QUERIES} are needed"
    if not gain.is_positive:
        return now, "the gain on queries not seen is not certain"
    return picked, "the gain on queries not seen is certain"

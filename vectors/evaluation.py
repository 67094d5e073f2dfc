"""How good a ranking is, by judged queries."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vectors.errors import InvalidQuery, shown
from vectors.models import Collection
from vectors.search import search

CUTOFF = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """A query and the grades of its relevant keys: integers from 1; 0 is like a key left out."""

    query: str
    relevant: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over `n` queries, each 0…1."""

    n: int
    ndcg: float
    mrr: float
    recall: float


def ndcg(ranking: Sequence[str], relevant: Mapping[str, int], cutoff: int = CUTOFF) -> float:
    """Normalised discounted cumulative gain: DCG / ideal DCG, DCG = Σ (2^grade − 1) / log2(rank + 1).

    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (2002), with the exponential
    gain of Burges et al. (2005).
    """

    def gain(grades: Iterable[int]) -> float:
        return math.fsum((2**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))

    ideal = gain(sorted(relevant.values(), reverse=True)[:cutoff])
    return gain(relevant.get(key, 0) for key in ranking[:cutoff]) / ideal if ideal else 0.0


def mrr(ranking: Sequence[str], relevant: Mapping[str, int], cutoff: int = CUTOFF) -> float:
    """Reciprocal rank: 1 / rank of the first relevant key among the first `cutoff`, else 0."""
    for rank, key in enumerate(ranking[:cutoff], start=1):
        if relevant.get(key, 0) > 0:
            return 1 / rank
    return 0.0


def recall(ranking: Sequence[str], relevant: Mapping[str, int], cutoff: int = CUTOFF) -> float:
    """The share of relevant keys among the first `cutoff`: hits / min(cutoff, number of relevant keys).

    The bound lets a perfect ranking reach 1 where more keys are relevant than fit.
    """
    wanted = {key for key, grade in relevant.items() if grade > 0}
    if not wanted:
        return 0.0
    return len(wanted.intersection(ranking[:cutoff])) / min(cutoff, len(wanted))


def evaluate(collection: Collection, queries: Iterable[Judged], mode: str = "hybrid") -> Quality:
    """Search the collection for every query and take the means; raises InvalidQuery without a query."""
    totals = [0.0, 0.0, 0.0]
    count = 0
    for judged in queries:
        hits = search(collection, judged.query, k=CUTOFF, mode=mode).hits
        ranking = [hit.key for hit in hits]
        for position, measure in enumerate((ndcg, mrr, recall)):
            totals[position] += measure(ranking, judged.relevant)
        count += 1
    if not count:
        raise InvalidQuery("queries", "at least one judged query", "none")
    return Quality(count, *(total / count for total in totals))


def parse_judged(value: object) -> Judged:
    """{"query": text, "relevant": {key: grade}} as Judged; raises InvalidQuery."""
    if not isinstance(value, dict) or value.keys() != {"query", "relevant"}:
        raise InvalidQuery("line", 'an object with "query" and "relevant"', shown(value))
    query, relevant = value["query"], value["relevant"]
    if not isinstance(query, str) or not query.strip():
        raise InvalidQuery("query", "text", shown(query))
    if not isinstance(relevant, dict) or not relevant:
        raise InvalidQuery("relevant", "an object of key and grade", shown(relevant))
    for key, grade in relevant.items():
        if isinstance(grade, bool) or not isinstance(grade, int) or not 0 <= grade <= 30:
            raise InvalidQuery(f"relevant.{key}", "a grade from 0 to 30", shown(grade))
    return Judged(query, relevant)

"""What a strategy for nearest neighbours is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.codec import Matrix
from vectors.search_sql import Answer, Leg
from vectors.sql import Where


@dataclass(frozen=True, slots=True)
class Request:
    """What the semantic leg of a search is about: a float32 `vector` of shape (dimensions,).

    `k` rows are shown in the end; `limit` ≥ k nearest rows take part in the fusion. `where` restricts them.
    `tries` scans have looked for it before and found too little. `is_plain` says that nothing but the nearest
    items is asked for: no filter, no keywords, no other table's rows.
    """

    vector: Matrix
    k: int
    limit: int
    where: Where | None = None
    tries: int = 0
    is_plain: bool = False


class Plan(NamedTuple):
    """How an answer came about.

    `scanned` rows were compared by code or by distance (in `probes` inverted lists, where there are any) and
    `reranked` of them got an exact distance; `filtered_out` of those looked up did not satisfy the filter or
    were gone. `exhaustive` says that no row can have been missed.
    """

    strategy: str
    scanned: int
    reranked: int
    exhaustive: bool
    probes: int = 0
    filtered_out: int = 0

    def as_dict(self, ms: float) -> dict[str, Any]:
        """The fields, and what the search took in milliseconds."""
        return {
            "strategy": self.strategy,
            "scanned": self.scanned,
            "probes": self.probes,
            "reranked": self.reranked,
            "exhaustive": self.exhaustive,
            "filtered_out": self.filtered_out,
            "ms": ms,
        }


class Scan(Protocol):
    """One look for the nearest rows. Distances are exact; only which rows are looked at may differ.

    `cost` is what it was estimated at, in milliseconds. `leg` is its part of the search's statement, if it
    has one. `conclude` takes the answer, with the counts that the leg asked for: it gives the plan, or
    another scan where the answer might be lacking, and may see to what the process holds of the index. It is
    called only if the collection was the one that the scan was made for.
    """

    name: str
    cost: float

    @property
    def leg(self) -> Leg | None: ...

    def conclude(self, connection: BaseDatabaseWrapper, answer: Answer) -> Plan | Scan: ...

"""What a strategy for nearest neighbours is asked and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.codec import Matrix
from vectors.search_sql import Leg
from vectors.sql import Where


@dataclass(frozen=True, slots=True)
class Request:
    """What the semantic leg of a search is about: a float32 `vector` of shape (dimensions,).

    `k` rows are shown in the end; `limit` ≥ k nearest rows take part in the fusion. `where` restricts them.
    With `keywords` there is a leg of that kind, too.
    """

    vector: Matrix
    k: int
    limit: int
    where: Where | None = None
    keywords: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How an answer came about.

    `scanned` rows were compared by code or by distance, `reranked` of them got an exact distance;
    `exhaustive` says that no row can have been missed.
    """

    strategy: str
    scanned: int
    reranked: int
    exhaustive: bool


class Scan(Protocol):
    """One look for the nearest rows. Distances are exact; only which rows are looked at may differ.

    `leg` is its part of the search's statement, if it has one. `conclude` takes the counts that the leg asked
    for and may see to the strategy's cache; it is called only if the collection was the one that the scan was
    made for.
    """

    @property
    def leg(self) -> Leg | None: ...

    def conclude(self, connection: BaseDatabaseWrapper, counts: Sequence[int]) -> Plan: ...

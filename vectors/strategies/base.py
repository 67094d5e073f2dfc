"""What a strategy for nearest neighbours is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.codec import Matrix
from vectors.sql import Keywords, Where


@dataclass(frozen=True, slots=True)
class Request:
    """A search without its embedder: float32 `vector` of shape (dimensions,), and the rows wanted.

    `k` rows are shown in the end; `limit` ≥ k nearest rows take part in the fusion. `keywords` adds a keyword
    leg to the same statement; `where` restricts both legs.
    """

    vector: Matrix
    k: int
    limit: int
    keywords: Keywords | None = None
    where: Where | None = None


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


@dataclass(frozen=True, slots=True)
class Found:
    """By id: exact distances of the nearest rows and of the keyword leg's, and the latter's BM25 scores."""

    distance: dict[int, float]
    bm25: dict[int, float]
    plan: Plan


class Strategy(Protocol):
    """Finds the rows nearest to a vector. Distances are exact; only which rows are looked at may differ."""

    name: str

    def find(self, connection: BaseDatabaseWrapper, request: Request) -> Found: ...

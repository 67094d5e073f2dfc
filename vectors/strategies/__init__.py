"""Strategies for nearest neighbours, and the choice between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.errors import InvalidQuery, shown
from vectors.rows import database_behind
from vectors.sql import Tables
from vectors.strategies.base import Plan, Request, Scan
from vectors.strategies.codes import Key, registry
from vectors.strategies.exact import Exact
from vectors.strategies.keywords import KeywordsOnly
from vectors.strategies.quantised import Quantised

if TYPE_CHECKING:
    from vectors.models import Collection

STRATEGIES: Final = ("auto", "exact", "quantised")
# Rows from which `auto` uses codes: an exact scan of fewer takes 2 ms at most and needs no memory.
AUTO_QUANTISED_ROWS: Final = 2_000
# Below that many dimensions one bit each says too little: recall@10 was 0.86 at 64, 0.15 at 2.
AUTO_QUANTISED_DIMENSIONS: Final = 128

__all__ = ["STRATEGIES", "KeywordsOnly", "Plan", "Request", "Scan", "forget", "scan_for"]


def scan_for(
    connection: BaseDatabaseWrapper, collection: Collection, request: Request, strategy: str | None = None
) -> Scan:
    """How to look for `request` with the collection's strategy, or with `strategy` in its stead.

    `auto` is exact until an exact search has met 2,000 rows, quantised from then on (always exact under l2
    and below 128 dimensions).
    The first search of a process in a large collection is thus exact; no statement is spent on counting.
    """
    name = strategy or collection.strategy
    if name not in STRATEGIES:
        raise InvalidQuery("strategy", " or ".join(STRATEGIES), shown(name))
    tables = Tables.of(collection)
    key = _key(connection, collection)
    if name == "quantised" or (name == "auto" and registry.peek(key) is not None):
        return _quantised(connection, key, tables, request)
    if name == "auto" and tables.metric == "cosine" and tables.dimensions >= AUTO_QUANTISED_DIMENSIONS:
        return _Learning(key, tables, request)
    return Exact(tables, request)


def forget() -> None:
    """Drop every code held by this process, for instance after its database file was replaced."""
    registry.clear()


class _Learning(Exact):
    """An exact scan after which a large collection has codes."""

    def __init__(self, key: Key, tables: Tables, request: Request) -> None:
        super().__init__(tables, request)
        self._key, self._tables = key, tables

    def conclude(self, connection: BaseDatabaseWrapper, counts: Sequence[int]) -> Plan:
        plan = super().conclude(connection, counts)
        if plan.scanned >= AUTO_QUANTISED_ROWS:
            registry.get(self._key, self._tables)
        return plan


def _quantised(connection: BaseDatabaseWrapper, key: Key, tables: Tables, request: Request) -> Scan:
    """By codes, which are loaded where they are not; exact where there are none to be had."""
    if tables.metric != "cosine":
        raise InvalidQuery(
            "strategy", "exact for the metric l2", "quantised", "Sign codes estimate angles, not lengths."
        )
    cache = registry.get(key, tables)
    snapshot = cache.snapshot or cache.absorb(connection)
    if snapshot is None or not len(snapshot):
        return Exact(tables, request)
    return Quantised(cache, snapshot, request)


def _key(connection: BaseDatabaseWrapper, collection: Collection) -> Key:
    return (connection.alias, database_behind(connection.alias), collection.pk, collection.generation)

"""Strategies for nearest neighbours, and the choice between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.errors import InvalidQuery, shown
from vectors.sql import Tables
from vectors.strategies.base import Found, Plan, Request, Strategy
from vectors.strategies.codes import Key, registry
from vectors.strategies.exact import Exact
from vectors.strategies.quantised import Quantised

if TYPE_CHECKING:
    from vectors.models import Collection

STRATEGIES: Final = ("auto", "exact", "quantised")
# Rows from which `auto` uses codes: an exact scan of fewer takes 2 ms at most and needs no memory.
AUTO_QUANTISED_ROWS: Final = 2_000
# Below that many dimensions one bit each says too little: recall@10 was 0.86 at 64, 0.15 at 2.
AUTO_QUANTISED_DIMENSIONS: Final = 128

__all__ = ["STRATEGIES", "Found", "Plan", "Request", "find", "forget"]


def find(
    connection: BaseDatabaseWrapper, collection: Collection, request: Request, strategy: str | None = None
) -> Found:
    """Answer `request` with the collection's strategy, or with `strategy` in its stead.

    `auto` is exact until an exact search has met 2,000 rows, quantised from then on (always exact under l2
    and below 128 dimensions).
    The first search of a process in a large collection is thus exact; no statement is spent on counting.
    """
    name = strategy or collection.strategy
    if name not in STRATEGIES:
        raise InvalidQuery("strategy", " or ".join(STRATEGIES), shown(name))
    tables = Tables.of(collection)
    key = _key(connection, collection)
    chosen: Strategy
    if name == "quantised" or (name == "auto" and registry.peek(key) is not None):
        chosen = Quantised(registry.get(key, tables))
    else:
        chosen = Exact(tables)
    found = chosen.find(connection, request)
    suits_codes = tables.metric == "cosine" and tables.dimensions >= AUTO_QUANTISED_DIMENSIONS
    if name == "auto" and suits_codes and found.plan.scanned >= AUTO_QUANTISED_ROWS:
        registry.get(key, tables)
    return found


def forget() -> None:
    """Drop every code held by this process, for instance after its database file was replaced."""
    registry.clear()


def _key(connection: BaseDatabaseWrapper, collection: Collection) -> Key:
    return (connection.alias, str(connection.settings_dict["NAME"]), collection.pk, collection.generation)

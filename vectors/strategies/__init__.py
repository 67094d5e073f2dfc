"""Strategies for nearest neighbours, and the choice between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors import planner
from vectors.errors import InvalidQuery, shown
from vectors.index import codes
from vectors.index.blocks import MIN_ROWS
from vectors.index.cache import IndexCache, registry
from vectors.index.state import State
from vectors.rows import database_behind
from vectors.sql import Tables
from vectors.strategies import diskann
from vectors.strategies.base import Plan, Request, Scan
from vectors.strategies.candidates import UNKNOWN_SHARE, Candidates, Found, depth_for
from vectors.strategies.exact import Exact
from vectors.strategies.ivf import by_lists
from vectors.strategies.keywords import KeywordsOnly
from vectors.strategies.quantised import by_codes

if TYPE_CHECKING:
    from vectors.models import Collection

STRATEGIES: Final = ("auto", "exact", "quantised", "ivf", "diskann")
# Below that many dimensions one bit each says too little for `auto`: recall@10 was 0.86 at 64, 0.15 at 2.
AUTO_DIMENSIONS: Final = 128
# Rows measured exactly for each that is wanted, as a rule.
_CANDIDATES_PER_ROW: Final = 4
# k that probes are tuned for.
_TUNED_FOR: Final = 10
# Scans after which a search measures all rows.
_TRIES: Final = 2

__all__ = [
    "STRATEGIES",
    "KeywordsOnly",
    "Plan",
    "Request",
    "Scan",
    "costs_of",
    "forget",
    "index_of",
    "scan_for",
]


def forget() -> None:
    """Drop everything held of indexes by this process, for instance after its database file was replaced."""
    registry.clear()


def index_of(connection: BaseDatabaseWrapper, collection: Collection) -> IndexCache:
    """What this process holds of the collection's index."""
    key = (connection.alias, database_behind(connection), collection.pk, collection.generation)
    return registry.get(key, lambda: Tables.of(collection))


def scan_for(connection: BaseDatabaseWrapper, index: IndexCache, request: Request, name: str) -> Scan:
    """How to look for `request` with the strategy of that name.

    `auto` takes what costs least (see `vectors.planner`). A strategy whose index is not there, or not yet,
    gives way to the next simpler one, in the end to `exact`; so does one that would look up most rows to
    find enough behind a filter. The plan says which one it was.
    """
    if name not in STRATEGIES:
        raise InvalidQuery("strategy", " or ".join(STRATEGIES), shown(name))
    return _Choice(connection, index, name).scan(request)


class _Choice:
    """The ways to serve a request, of which the cheapest is taken."""

    def __init__(self, connection: BaseDatabaseWrapper, cache: IndexCache, name: str) -> None:
        self._connection, self._cache, self._name = connection, cache, name
        self._tables, self._memory = cache.tables, cache.memory

    def scan(self, request: Request) -> Scan:
        state = self._cache.state(self._connection)
        if state is not None and (state.version or state.is_diskann) and request.tries < _TRIES:
            share = self._memory.share(request.where)
            depth = depth_for(request, share)
            costs = self._costs(state, request, depth, share)
            measured = state.settings.get("costs", {})
            by_cost = sorted(costs, key=lambda one: self._memory.corrected(one, costs[one], measured))
            for name in (*by_cost, "quantised"):
                scan = self._by(name, state, request, depth, costs.get(name, 0.0))
                if scan is not None:
                    return scan
        cost = planner.exact_cost(state.rows if state else 0, self._tables.dimensions)
        return Exact(self._tables, request, self._cache, cost)

    def _costs(self, state: State, request: Request, depth: int, share: float | None) -> dict[str, float]:
        """What each strategy that may be used would cost, without corrections."""
        costs = costs_of(state, self._tables, request, depth, share)
        if self._name == "auto":
            # Where tuning found that a strategy finds enough, it may be used with few dimensions, too.
            is_trusted = self._tables.dimensions >= AUTO_DIMENSIONS
            return {
                name: cost
                for name, cost in costs.items()
                if is_trusted or name == "exact" or "recall" in state.settings.get(name, {})
            }
        # One that was asked for is taken, unless a filter makes it dearer than measuring every row.
        name = next(name for name in (self._name, "quantised", "exact") if name in costs)
        return {name: costs[name]} | ({"exact": costs["exact"]} if request.where is not None else {})

    def _by(self, name: str, state: State, request: Request, depth: int, cost: float) -> Scan | None:
        """The scan of that strategy, None where its index is not to be had after all."""
        if name == "exact":
            return Exact(self._tables, request, self._cache, cost)
        if name == "diskann":
            return diskann.DiskAnn(
                self._tables, request, depth=depth, memory=self._memory, cost=cost, wider=self.scan
            )
        found = self._found(name, state, request, depth)
        return None if found is None else self._candidates(name, state, request, found, depth, cost)

    def _found(self, name: str, state: State, request: Request, depth: int) -> Found | None:
        metric = self._tables.metric
        confidence = float(state.settings.get(name, {}).get("confidence", codes.CONFIDENCE))
        if name == "quantised":
            snapshot = self._cache.flat(self._connection)
            return (
                None
                if snapshot is None
                else by_codes(snapshot, request, depth=depth, confidence=confidence, metric=metric)
            )
        if name == "ivf":
            lists = self._cache.lists(self._connection)
            later = None if lists is None else self._cache.flat(self._connection, after=lists.last_id)
            if lists is None or later is None or later.state.version != lists.version:
                return None
            probes = _probes(request, state, depth)
            found = by_lists(
                self._connection.alias,
                lists,
                later,
                request,
                probes=probes,
                depth=depth,
                confidence=confidence,
                metric=metric,
            )
            if found is None:
                self._cache.drop()
            return found
        return None

    def _candidates(
        self, name: str, state: State, request: Request, found: Found, depth: int, cost: float
    ) -> Candidates:
        return Candidates(
            name,
            self._tables,
            request,
            found,
            depth=depth,
            memory=self._memory,
            cost=cost,
            wider=self.scan,
            on_worn=self._cache.compact if name == "quantised" else None,
            is_sure=found.deleted == state.deleted,
        )


def costs_of(
    state: State, tables: Tables, request: Request, depth: int | None = None, share: float | None = None
) -> dict[str, float]:
    """What each strategy whose index is there would cost, in milliseconds, as `vectors.planner` estimates it.

    The `depth` nearest rows are to be covered (by default, k of them); a filter lets a `share` through.
    """
    depth = request.k if depth is None else depth
    rows, dimensions = state.rows, tables.dimensions
    where = request.where
    measuring = planner.candidates_cost(
        min(_typical(depth, request), rows), dimensions, is_filtered=where is not None
    )
    if where is None:
        costs = {"exact": planner.exact_cost(rows, dimensions)}
    else:
        # One that was never met may let all rows through, though who has an index made for it expects few.
        expected = share or (UNKNOWN_SHARE if where.is_served else 1.0)
        costs = {"exact": planner.exact_cost(rows, dimensions, expected, is_served=where.is_served)}
    if state.version:
        costs["quantised"] = planner.codes_cost(rows, dimensions) + measuring
    if state.is_diskann and rows >= MIN_ROWS and depth <= diskann.MOST and request.limit <= diskann.MOST:
        costs["diskann"] = planner.diskann_cost(dimensions)
    if state.lists:
        probes = _probes(request, state, depth)
        scanned = min(rows, rows - state.lists_rows + 2 * probes * state.lists_rows // state.lists)
        costs["ivf"] = planner.lists_cost(state.lists, probes, scanned, dimensions) + measuring
    return costs


def default_probes(lists: int) -> int:
    """Lists to look into where none were tuned: recall@10 is 0.985 on 30,000 MiniLM embeddings."""
    return max(8, 2 * math.isqrt(lists))


def _typical(depth: int, request: Request) -> int:
    """How many rows are measured to cover the `depth` nearest, as a rule; the codes will tell."""
    return max(_CANDIDATES_PER_ROW * depth, request.limit)


def _probes(request: Request, state: State, depth: int) -> int:
    """How many lists to look into: more where more of the nearest rows are to be covered."""
    tuned = int(state.settings.get("ivf", {}).get("probes", 0)) or default_probes(state.lists)
    return min(state.lists, math.ceil(tuned * math.sqrt(max(1.0, depth / _TUNED_FOR))))

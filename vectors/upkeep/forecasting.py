"""What a collection would take with more rows: bytes by what it takes now, milliseconds by the planner."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from vectors.index.blocks import MIN_ROWS
from vectors.index.state import State
from vectors.index.training import LISTS_PAY, lists_for
from vectors.models import Collection, StrategyName
from vectors.sql import Tables
from vectors.strategies import AUTO_DIMENSIONS, Request, costs_of
from vectors.upkeep.stats import Stats

GROWTH: Final = (1, 10, 100)
_K: Final = 10
# Rows that costs are worked out for: 1,000 to 10,000,000, sixteen steps to each power of ten.
_LOWEST: Final = 3
_HIGHEST: Final = 7
_STEPS: Final = 16


@dataclass(frozen=True, slots=True)
class Size:
    """At so many rows so many bytes on disk, each row taking what it takes now."""

    factor: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Cost:
    """At so many rows, the milliseconds of a search by each strategy that there would be an index for.

    `chosen` is the one that a search would go by.
    """

    rows: int
    milliseconds: Mapping[str, float]
    chosen: str


def sizes(stats: Stats) -> list[Size]:
    """At as many rows as now, ten times and a hundred times as many; none of an empty collection."""
    if not stats.rows or stats.sizes is None:
        return []
    now = sum(stats.sizes.values())
    return [Size(factor, factor * stats.rows, factor * now) for factor in GROWTH]


def costs(collection: Collection, state: State) -> list[Cost]:
    """By rows, in ascending order; with what tuning measured, where it did."""
    exponents = range(_LOWEST * _STEPS, _HIGHEST * _STEPS + 1)
    return [_cost(collection, state, round(10 ** (one / _STEPS))) for one in exponents]


def changes(found: Sequence[Cost]) -> list[tuple[int, str]]:
    """From how many rows on which strategy is chosen, the first from the fewest looked at."""
    later = (after for before, after in pairwise(found) if before.chosen != after.chosen)
    return [(one.rows, one.chosen) for one in (found[0], *later)]


def _cost(collection: Collection, state: State, rows: int) -> Cost:
    has_lists = rows >= LISTS_PAY or collection.strategy == StrategyName.IVF
    lists = lists_for(rows) if has_lists else 0
    settings = dict(state.settings)
    if lists and state.lists and (ivf := settings.get("ivf")) and "probes" in ivf:
        # As many of the lists as are looked into now.
        probes = math.ceil(float(ivf["probes"]) * math.sqrt(lists / state.lists))
        settings["ivf"] = {**ivf, "probes": probes}
    imagined = replace(
        state,
        version=1 if rows >= MIN_ROWS else 0,
        rows=rows,
        lists=lists,
        lists_rows=rows if lists else 0,
        settings=settings,
    )
    request = Request(np.zeros(collection.dimensions, np.float32), _K, _K)
    estimated = costs_of(imagined, Tables.of(collection), request)
    measured = state.settings.get("costs", {})
    milliseconds = {name: cost * measured.get(name, 1.0) for name, cost in estimated.items()}
    return Cost(rows, milliseconds, _chosen(collection, state, milliseconds))


def _chosen(collection: Collection, state: State, costs: Mapping[str, float]) -> str:
    """As `vectors.strategies` chooses: the cheapest of those that are trusted, or the one that was set."""
    if collection.strategy != StrategyName.AUTO:
        return next(one for one in (collection.strategy, "quantised", "exact") if one in costs)
    is_trusted = collection.dimensions >= AUTO_DIMENSIONS
    trusted = [
        one for one in costs if is_trusted or one == "exact" or "recall" in state.settings.get(one, {})
    ]
    return min(trusted, key=lambda one: costs[one])

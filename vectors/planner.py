"""What a search would cost by each strategy, so that `auto` takes the cheapest.

Costs are milliseconds on one thread, from amounts of work times the constants below (measured on a 2.9 GHz
server core with libSQL 3.45). Each process corrects them per collection by what its searches really took, and
remembers which share of the rows a filter let through, so that a filter met again is planned for rightly.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Final

from vectors.index.codes import words_of

# Milliseconds a row or a unit of work; `_A_DIMENSION` is for one component of an exact distance.
_STATEMENT: Final = 0.1
_A_ROW_SCANNED: Final = 0.000_15
_A_ROW_FETCHED: Final = 0.000_6
_A_DIMENSION: Final = 0.000_001_9
_A_ROW_FILTERED: Final = 0.001_5
_CODES: Final = 0.15
_A_WORD: Final = 0.000_000_9
_A_CODE_RANKED: Final = 0.000_002
_LISTS: Final = 0.25
_A_CENTROID_DIMENSION: Final = 0.000_000_3
_A_PROBE: Final = 0.002

_GRAPH: Final = 2.0
_A_GRAPH_DIMENSION: Final = 0.004

# Weight of the newest search in what is remembered, and how far it may pull an estimate.
_NEWEST: Final = 0.1
_FARTHEST: Final = 3.0
_MAX_FILTERS: Final = 1_024
# Searches after which the share of a filter is looked at anew.
_REMEMBERED: Final = 256


def exact_cost(rows: int, dimensions: int, share: float | None = None, *, is_served: bool = False) -> float:
    """Measuring all rows, or with a filter the `share` of them that satisfies it.

    All of them are looked at for that, unless the filter `is_served` by an index.
    """
    distance = _A_DIMENSION * dimensions
    if share is None:
        return _STATEMENT + rows * (_A_ROW_SCANNED + distance)
    matching = rows * share * (_A_ROW_FETCHED + _A_ROW_FILTERED + distance)
    return _STATEMENT + matching + (0 if is_served else rows * (1 - share) * _A_ROW_FILTERED)


def candidates_cost(count: int, dimensions: int, is_filtered: bool) -> float:
    """Measuring `count` rows picked by id."""
    filtering = _A_ROW_FILTERED if is_filtered else 0
    return _STATEMENT + count * (_A_ROW_FETCHED + _A_DIMENSION * dimensions + filtering)


def codes_cost(rows: int, dimensions: int) -> float:
    """Comparing the codes of `rows` rows in memory."""
    return _CODES + rows * (_A_WORD * words_of(dimensions) + _A_CODE_RANKED)


def lists_cost(lists: int, probes: int, rows: int, dimensions: int) -> float:
    """Comparing the centroids of all lists, and the codes of the `rows` rows in `probes` of them."""
    return (
        _LISTS + lists * dimensions * _A_CENTROID_DIMENSION + probes * _A_PROBE + codes_cost(rows, dimensions)
    )


def diskann_cost(dimensions: int) -> float:
    """A walk through libSQL's own index: some hundred nodes of 64 neighbours each."""
    return _STATEMENT + _GRAPH + _A_GRAPH_DIMENSION * dimensions


@dataclass
class Memory:
    """What the searches of this process in one collection have shown.

    The filter None stands for no filter: the share is then that of the rows which are still there.
    """

    corrections: dict[str, float] = field(default_factory=dict)
    _shares: OrderedDict[Hashable, tuple[float, int]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def corrected(self, strategy: str, cost: float, measured: Mapping[str, float]) -> float:
        """An estimate, in the light of what searches by that strategy took.

        `measured` says, by strategy, what tuning found: milliseconds over the estimate.
        """
        return cost * self.corrections.get(strategy, measured.get(strategy, 1.0))

    def took(self, strategy: str, cost: float, milliseconds: float) -> None:
        """Learn from one search; `cost` is what it was estimated at, without corrections."""
        if not cost:
            return
        ratio = min(max(milliseconds / cost, 1 / _FARTHEST), _FARTHEST)
        before = self.corrections.get(strategy, 1.0)
        self.corrections[strategy] = before + _NEWEST * (ratio - before)

    def share(self, where: Hashable) -> float | None:
        """The share of rows that satisfied this filter when it was last met, None if it was not yet."""
        with self._lock:
            known = self._shares.get(where)
            if known is None:
                return None
            share, uses = known
            if uses <= 0:
                del self._shares[where]
                return None
            self._shares[where] = (share, uses - 1)
            self._shares.move_to_end(where)
            return share

    def knows(self, where: Hashable) -> bool:
        """Is there a share for this filter?"""
        return where in self._shares

    def saw_share(self, where: Hashable, share: float) -> None:
        """Remember which share of the rows satisfied a filter."""
        with self._lock:
            self._shares[where] = (share, _REMEMBERED)
            self._shares.move_to_end(where)
            while len(self._shares) > _MAX_FILTERS:
                self._shares.popitem(last=False)

    def forget_shares(self) -> None:
        """After codes of deleted rows were dropped, which counted as sorted out."""
        with self._lock:
            self._shares.clear()

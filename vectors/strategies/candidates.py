"""Measure exactly the rows that codes in memory point at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.codec import to_blob
from vectors.index.cache import WORN
from vectors.index.codes import Ids
from vectors.index.state import Seen
from vectors.planner import Memory
from vectors.search_sql import Answer, Leg, Picked, candidate_leg
from vectors.sql import Tables, id_list
from vectors.strategies.base import Plan, Request, Scan

# More than the share says: it was another query's.
_MARGIN: Final = 1.3
# Share of matches to expect of a filter that was never met.
UNKNOWN_SHARE: Final = 0.2
# Share of candidates that may be gone without a filter before the search looks farther.
_GONE: Final = 0.05


class Found(NamedTuple):
    """Candidates: `ids` int64 out of the `scanned` rows up to `last_id`.

    They are `all` that there are, or those that may be among the nearest. As long as the database holds that
    `version` of the index and counts `deleted` deletions, all of them are there.
    """

    ids: Ids
    scanned: int
    last_id: int
    all: bool
    probes: int = 0
    version: int = 0
    deleted: int = 0

    def is_there(self, seen: Seen) -> bool:
        """Are all candidates there, in a database whose index is like that?"""
        is_same = seen.version == self.version and seen.deleted == self.deleted
        return is_same and seen.last_id >= self.last_id


class Candidates:
    """The second phase of a search by codes. `wider` makes the next scan where these are too few.

    The candidates cover the `depth` nearest rows, of which k have to be there and satisfy the filter. The
    share of candidates that do says whether that can be. New rows, past what was found among, are in the same
    statement; deleted ones have no row any more, like those that a filter sorts out.
    """

    def __init__(
        self,
        name: str,
        tables: Tables,
        request: Request,
        found: Found,
        *,
        depth: int,
        memory: Memory,
        cost: float,
        wider: Callable[[Request], Scan],
        on_worn: Callable[[BaseDatabaseWrapper], None] | None,
        is_sure: bool,
    ) -> None:
        self.name, self.cost = name, cost
        self._request, self._found, self._depth = request, found, depth
        self._memory, self._wider, self._on_worn = memory, wider, on_worn
        self._tables, self._picked = tables, Picked(id_list(found.ids), found.last_id)
        self.leg = Leg(picked=self._picked) if is_sure and request.is_plain else self._counting()

    def _counting(self) -> Leg:
        """The leg that counts which of the candidates are there and match."""
        request = self._request
        return candidate_leg(
            self._tables, to_blob(request.vector), request.limit, request.where, self._picked
        )

    def conclude(self, connection: BaseDatabaseWrapper, answer: Answer) -> Plan | Scan:
        found, where = self._found, self._request.where
        asked = len(found.ids)
        if answer.counts:
            listed, later = map(int, answer.counts)
        elif found.is_there(answer.seen):
            listed, later = asked, 0
        else:
            # Some were deleted meanwhile: ask again, and count.
            self.leg = self._counting()
            return self
        share = max(listed, 0.5) / max(asked, 1)
        if where is not None or share < 1 or self._memory.knows(None):
            self._memory.saw_share(where, share)
        if self._on_worn and where is None and share < 1 - WORN:
            self._on_worn(connection)
        tolerated = 1.0 if where is not None else 1 - _GONE
        k = self._request.k
        if not found.all and (listed + later < k or listed * self._depth < k * asked * tolerated):
            return self._wider(replace(self._request, tries=self._request.tries + 1))
        return Plan(
            self.name,
            scanned=found.scanned + later,
            reranked=listed + later,
            exhaustive=found.all,
            probes=found.probes,
            filtered_out=asked - listed,
        )


def depth_for(request: Request, share: float | None) -> int:
    """How many of the nearest rows to cover so that k of them satisfy the filter and are still there."""
    if share is None:
        share = 1.0 if request.where is None else UNKNOWN_SHARE
    return request.k if share >= 1 else int(request.k / share * _MARGIN) + 1

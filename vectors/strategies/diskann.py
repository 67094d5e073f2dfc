"""Have libSQL's own vector index pick the candidates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.codec import to_blob
from vectors.planner import Memory
from vectors.search_sql import Answer, diskann_leg
from vectors.sql import Tables
from vectors.strategies.base import Plan, Request, Scan

# Rows that it is asked for at least, and gives at most (its search list, by default).
LEAST: Final = 40
MOST: Final = 200


class DiskAnn:
    """A walk through the graph of `libsql_vector_idx`; the candidates are measured exactly.

    The index is right at once after each write, and pays for it: writers wait 2 ms a row. It gives 200 rows
    at most, so a filter that needs more has all rows measured by `wider`.
    """

    name = "diskann"

    def __init__(
        self,
        tables: Tables,
        request: Request,
        *,
        depth: int,
        memory: Memory,
        cost: float,
        wider: Callable[[Request], Scan],
    ) -> None:
        self.cost = cost
        self._request, self._memory, self._wider = request, memory, wider
        self._asked = min(MOST, max(LEAST, 4 * depth, request.limit))
        self.leg = diskann_leg(tables, to_blob(request.vector), request.limit, request.where, self._asked)

    def conclude(self, connection: BaseDatabaseWrapper, answer: Answer) -> Plan | Scan:
        matching, _ = map(int, answer.counts or (0, 0))
        if self._request.where is not None:
            self._memory.saw_share(self._request.where, max(matching, 0.5) / self._asked)
        if matching < self._request.limit:
            return self._wider(replace(self._request, tries=self._request.tries + 1))
        return Plan(
            self.name,
            scanned=self._asked,
            reranked=matching,
            exhaustive=False,
            filtered_out=self._asked - matching,
        )

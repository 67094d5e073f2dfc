"""Compare with every row, in libSQL."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.codec import to_blob
from vectors.index.cache import IndexCache
from vectors.search_sql import Answer, exact_leg
from vectors.sql import Tables
from vectors.strategies.base import Plan, Request


class Exact:
    """`ORDER BY vector_distance_*(embedding, ?) LIMIT n`: about 1 µs a row at 384 dimensions, never wrong."""

    name = "exact"

    def __init__(self, tables: Tables, request: Request, index: IndexCache, cost: float) -> None:
        self.cost = cost
        self._index, self._where = index, request.where
        self.leg = exact_leg(tables, to_blob(request.vector), request.limit, request.where)

    def conclude(self, connection: BaseDatabaseWrapper, answer: Answer) -> Plan:
        total, measured = map(int, answer.counts or (0, 0))
        is_served = self._where is not None and self._where.is_served
        if self._where is not None:
            state = self._index.state(connection) if is_served else None
            rows = state.rows - state.deleted if state else total
            self._index.memory.saw_share(self._where, min(1.0, max(measured, 0.5) / max(rows, 1)))
        if not is_served and self._index.is_worn(total):
            # Codes of deleted rows make searches by codes look bad, so that they would never be tried again.
            self._index.compact(connection)
        return Plan(
            self.name, scanned=total, reranked=measured, exhaustive=True, filtered_out=total - measured
        )

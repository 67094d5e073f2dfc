"""Compare with every row, in libSQL."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.codec import to_blob
from vectors.rows import execute
from vectors.sql import Tables
from vectors.strategies.base import Found, Plan, Request


class Exact:
    """`ORDER BY vector_distance_*(embedding, ?) LIMIT n`: about 1 µs a row at 384 dimensions, never wrong."""

    name = "exact"

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def find(self, connection: BaseDatabaseWrapper, request: Request) -> Found:
        statement = self.tables.exact_search(
            to_blob(request.vector), request.limit, request.keywords, request.where
        )
        rows = execute(connection.alias, statement)
        total = rows[0][3] if rows else 0
        return Found(
            distance={row[0]: row[1] for row in rows},
            bm25={row[0]: row[2] for row in rows if row[2] is not None},
            plan=Plan(self.name, scanned=total, reranked=total, exhaustive=True),
        )

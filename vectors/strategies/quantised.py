"""Pick candidates by 1-bit codes in memory, then measure them exactly in libSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.codec import to_blob
from vectors.search_sql import candidate_leg
from vectors.sql import id_list
from vectors.strategies.base import Plan, Request
from vectors.strategies.codes import CodeCache, Snapshot
from vectors.strategies.exact import all_rows

# Candidates measured exactly. On 30,000 MiniLM embeddings, recall@10 is 0.998 with 150, and
# recall@100 is 0.99 with 600.
MIN_CANDIDATES: Final = 150
_CANDIDATES_PER_ROW: Final = 6
# With a filter: candidates to filter, and how often a fifth of the rows must match for them to do.
_FILTERED_CANDIDATES_FACTOR: Final = 5
# Rows past the snapshot that searches scan exactly before they are absorbed.
_MIN_TAIL: Final = 256
_TAIL_SHARE: Final = 1_000
# Share of candidates or codes found deleted (one in ten) after which their codes are dropped.
_DEAD_SHARE: Final = 10


class Quantised:
    """Two-phase search: sign codes pick the candidates, their exact distances rank them.

    New rows (past the snapshot) are in the same statement by `id > last_id`; deleted ones have no row any
    more. Where too few candidates survive deletions or a filter, the statement measures every row: an answer
    is never shorter than the exact one.
    """

    name = "quantised"

    def __init__(self, cache: CodeCache, snapshot: Snapshot, request: Request) -> None:
        self.cache, self.snapshot = cache, snapshot
        self.is_filtered = request.where is not None
        needed = max(MIN_CANDIDATES, _CANDIDATES_PER_ROW * request.k, request.limit)
        self.asked = min(len(snapshot), needed * (_FILTERED_CANDIDATES_FACTOR if self.is_filtered else 1))
        # With a filter, as many matches are demanded as an unfiltered search re-ranks: the same recall.
        # Without, half the candidates may be gone before the rest are too few to trust.
        required = needed if self.is_filtered else (self.asked + 1) // 2
        self.leg = candidate_leg(
            cache.tables,
            to_blob(request.vector),
            request.limit,
            request.where,
            ids=id_list(snapshot.candidates(request.vector, self.asked)),
            after=snapshot.last_id,
            required=0 if self.asked == len(snapshot) else required,
            measured_too="keyword" if request.keywords else "",
        )

    def conclude(self, connection: BaseDatabaseWrapper, counts: Sequence[int | None]) -> Plan:
        alive, new, measured, newest, total = counts
        size = len(self.snapshot)
        # With a filter, missing candidates may just not match: then codes in excess of rows tell.
        if self.is_filtered:
            is_worn = total is not None and (size - total) * _DEAD_SHARE > size
        else:
            is_worn = (self.asked - (alive or 0)) * _DEAD_SHARE > self.asked
        self._maintain(connection, is_worn=is_worn, newest=newest)
        if total is not None:
            return all_rows(total)
        return Plan(self.name, size + (new or 0), reranked=measured or 0, exhaustive=self.asked == size)

    def _maintain(self, connection: BaseDatabaseWrapper, *, is_worn: bool, newest: int | None) -> None:
        last = self.snapshot.last_id
        # Rows at the end are gone: in an older copy of the database, their ids will be given out again.
        if is_worn or (newest or 0) < last:
            self.cache.compact(connection)
        if (newest or last) - last > max(_MIN_TAIL, len(self.snapshot) // _TAIL_SHARE):
            self.cache.absorb(connection)

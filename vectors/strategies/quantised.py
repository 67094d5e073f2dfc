"""Pick candidates by the 1-bit codes of all rows, in memory."""

from __future__ import annotations

from vectors.index.cache import Snapshot
from vectors.index.codes import CodedQuery
from vectors.strategies.base import Request
from vectors.strategies.candidates import Found


def by_codes(snapshot: Snapshot, request: Request, *, depth: int, confidence: float, metric: str) -> Found:
    """The rows that may be among the `depth` nearest of all."""
    codes = snapshot.codes
    query = CodedQuery.of(request.vector, snapshot.state.middle, metric)
    ids = query.candidates(codes, min(depth, len(codes)), at_least=request.limit, confidence=confidence)
    return Found(
        ids,
        len(codes),
        snapshot.last_id,
        all=len(ids) == len(codes),
        version=snapshot.state.version,
        deleted=snapshot.deleted,
    )

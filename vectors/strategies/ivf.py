"""Pick candidates by the 1-bit codes of the rows in the nearest inverted lists."""

from __future__ import annotations

import numpy as np

from vectors.index.cache import Snapshot
from vectors.index.codes import CodedQuery, Codes
from vectors.index.lists import Lists
from vectors.strategies.base import Request
from vectors.strategies.candidates import Found


def by_lists(
    alias: str,
    lists: Lists,
    later: Snapshot,
    request: Request,
    *,
    probes: int,
    depth: int,
    confidence: float,
    metric: str,
) -> Found | None:
    """The rows that may be among the `depth` nearest, of the `probes` nearest lists and of what came `later`.

    None where another version has replaced the lists meanwhile.
    """
    numbers = lists.nearest(request.vector, probes)
    codes = lists.codes(alias, numbers.tolist())
    if codes is None:
        return None
    if len(later.codes):
        codes = Codes.joined([codes, later.codes])
    query = CodedQuery.of(request.vector, later.state.middle, metric)
    ids = query.candidates(
        codes,
        min(depth, len(codes)),
        at_least=request.limit,
        confidence=confidence,
        has_twins=True,
    )
    # Of the rows in all lists each is there twice.
    is_all = probes >= len(lists) and 2 * len(ids) >= len(codes) and len(ids) == len(np.unique(codes.ids))
    # Codes in lists are as old as these: only where nothing was deleted since are all rows there.
    return Found(
        ids, len(codes), later.last_id, all=is_all, probes=len(numbers), version=lists.version, deleted=0
    )

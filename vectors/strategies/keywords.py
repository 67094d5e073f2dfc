"""Look for no vector at all: the search goes by its keywords."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.strategies.base import Plan


class KeywordsOnly:
    """The scan of a search without a semantic leg."""

    name = "keyword"
    cost = 0.0
    leg = None

    def conclude(self, connection: BaseDatabaseWrapper, counts: Sequence[int]) -> Plan:
        return Plan(self.name, scanned=counts[0], reranked=0, exhaustive=True)

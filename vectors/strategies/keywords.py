"""Look for no vector at all: the search goes by its keywords."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.search_sql import Answer
from vectors.strategies.base import Plan


class KeywordsOnly:
    """The scan of a search without a semantic leg."""

    name = "keyword"
    cost = 0.0
    leg = None

    def conclude(self, connection: BaseDatabaseWrapper, answer: Answer) -> Plan:
        return Plan(self.name, scanned=int((answer.counts or [0])[0]), reranked=0, exhaustive=True)

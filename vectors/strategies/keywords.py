"""Look for no vector at all: the search goes by its keywords."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.search_sql import no_leg
from vectors.strategies.base import Plan


class KeywordsOnly:
    """The scan of a search without a semantic leg."""

    def __init__(self) -> None:
        self.leg = no_leg()

    def conclude(self, connection: BaseDatabaseWrapper, counts: Sequence[int]) -> Plan:
        return Plan("keyword", scanned=counts[0], reranked=0, exhaustive=True)

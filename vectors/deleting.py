"""Delete all items that match a filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from vectors import browsing_sql
from vectors.errors import InvalidFilter
from vectors.filters import where_for
from vectors.migrating.spaces import spaces_of
from vectors.models import Collection
from vectors.rows import execute, writing_alias
from vectors.sql import Tables


def delete_matching(
    collection: Collection, filter: Mapping[str, Any], *, dry_run: bool = False, using: str | None = None
) -> int:
    """Delete the items that match, in one transaction; returns how many they are. `dry_run` only counts them.

    The number of statements does not grow with the items. Raises InvalidFilter, also for an empty filter: to
    delete everything, delete the collection.
    """
    alias = writing_alias(collection, using)
    where = where_for(collection, filter)
    if where is None:
        raise InvalidFilter("filter", "an object with at least one condition", "nothing")
    with transaction.atomic(using=alias):
        spaces = spaces_of(collection, alias)
        live = Tables.of(spaces.live)
        matching = int(execute(alias, browsing_sql.count(live, where))[0][0])
        if not matching or dry_run:
            return matching
        if spaces.spare:
            # By the keys that match in the live space, as this one may be behind.
            for statement in browsing_sql.delete(Tables.of(spaces.spare), where, live=live):
                execute(alias, statement)
        for statement in browsing_sql.delete(live, where):
            execute(alias, statement)
    return matching

"""Restrict a search to the items of certain rows, by what the database holds of those when it searches.

Metadata is a copy, and as old as the last time the item was written. What changes by itself, or is kept in
other tables, is asked of these within the search's own statement: no result is lost, and none is stale.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from vectors.sql import Where


def where_among(rows: QuerySet[Any], alias: str) -> Where:
    """Items whose key is the primary key, as the database holds it, of one of the rows."""
    query = rows.order_by().values_list("pk", flat=True).query
    try:
        sql, params = query.get_compiler(alias).as_sql()
    except EmptyResultSet:
        return Where("0", ())
    return Where(f"i.key IN ({sql})", tuple(params))


def both(left: Where | None, right: Where | None) -> Where | None:
    """The rows that satisfy either condition as well as the other; None is no condition."""
    if left is None or right is None:
        return left or right
    is_served = left.is_served or right.is_served
    return Where(f"({left.sql} AND {right.sql})", (*left.params, *right.params), is_served)

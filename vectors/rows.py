"""Running one statement of a collection, and where it runs."""

from __future__ import annotations

import json
from typing import Any

from django.db import connections, router

from vectors.models import Collection
from vectors.sql import Statement


def execute(alias: str, statement: Statement) -> list[Any]:
    """Run a statement on the database `alias` and return its rows, a list of tuples."""
    sql, params = statement
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def alias_of(collection: Collection, using: str | None) -> str:
    """The database a collection is worked with: the one asked for, or the one it was read from."""
    return using or collection._state.db or router.db_for_write(Collection)


def as_json(value: object) -> str:
    """Compact JSON, for a list that travels as one parameter."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

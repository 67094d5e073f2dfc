"""Statements on a collection's tables that only measuring needs. Values are bound."""
# ruff: noqa: S608 - identifiers come from primary keys

from __future__ import annotations

from vectors.sql import DISTANCE, Statement, Tables


def keys_after(tables: Tables, last_id: int, limit: int) -> Statement:
    """(id, key) by id, of rows with a greater id."""
    return f"SELECT id, key FROM {tables.items} WHERE id > %s ORDER BY id LIMIT %s", [last_id, limit]


def keys_there(tables: Tables, keys: str) -> Statement:
    """(key) of those in a JSON list that have an item."""
    return f"SELECT key FROM {tables.items} WHERE key IN (SELECT value FROM json_each(%s))", [keys]


def distances(tables: Tables, vector: bytes, ids: str) -> Statement:
    """(id, distance to the vector) of a JSON list of ids, as a search measures it."""
    return (
        f"""SELECT v.id, {DISTANCE[tables.metric]}(v.embedding, %s)
            FROM json_each(%s) AS e CROSS JOIN {tables.vectors} AS v ON v.id = e.value""",
        [vector, ids],
    )

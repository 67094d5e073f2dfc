"""The statements that page, count, sum up and delete by a filter. Values are bound."""
# ruff: noqa: S608 - identifiers come from primary keys alone

from __future__ import annotations

from typing import Final

from vectors.sql import Statement, Tables, Where

_COLUMNS: Final = "i.id, i.key, i.title, i.text, i.metadata, i.content_hash, i.created_at, i.updated_at"
_HEAD: Final = "i.id, i.key, i.title, i.metadata, substr(i.text, 1, %s), length(i.text)"
# 1 and 1.0 are one value, "1" and true are others; a boolean's atom is 1 or 0.
_KIND: Final = "CASE WHEN e.type IN ('integer', 'real') THEN 'number' ELSE e.type END"


def page(tables: Tables, after: int, limit: int, where: Where | None, *, with_vectors: bool) -> Statement:
    """Items by id, and their embeddings as the last column (None where they are not asked for)."""
    condition, params = _condition(where)
    embedding = "v.embedding" if with_vectors else "NULL"
    join = f"CROSS JOIN {tables.vectors} AS v ON v.id = i.id" if with_vectors else ""
    return (
        f"""SELECT {_COLUMNS}, {embedding} FROM {tables.items} AS i {join}
            WHERE i.id > %s AND {condition} ORDER BY i.id LIMIT %s""",
        [after, *params, limit],
    )


def count(tables: Tables, where: Where | None) -> Statement:
    condition, params = _condition(where)
    return f"SELECT count(*) FROM {tables.items} AS i WHERE {condition}", params


def facet(tables: Tables, path: str, limit: int, where: Where | None) -> Statement:
    """(kind, value, items) of a field's values, elements of lists each for itself, the frequent first."""
    condition, params = _condition(where)
    return (
        f"""SELECT {_KIND} AS kind, min(e.atom), count(DISTINCT i.id) AS items
            FROM {tables.items} AS i CROSS JOIN json_each(i.metadata, %s) AS e
            WHERE typeof(e.key) <> 'text' AND e.type NOT IN ('object', 'array') AND {condition}
            GROUP BY kind, e.atom ORDER BY items DESC, kind, e.atom LIMIT %s""",
        [path, *params, limit],
    )


def delete(tables: Tables, where: Where, *, live: Tables | None = None) -> list[Statement]:
    """Deletes the matching items from all tables, the items last, as the others are found by them.

    With `live`, the tables of a collection with the same items, those are deleted whose keys match there.
    """
    matching = f"SELECT i.id FROM {tables.items} AS i WHERE {where.sql}"
    if live is not None:
        keys = f"SELECT i.key FROM {live.items} AS i WHERE {where.sql}"
        matching = f"SELECT id FROM {tables.items} WHERE key IN ({keys})"
    columns = ((tables.vectors, "id"), (tables.fts, "rowid"), (tables.items, "id"))
    return [
        (f"DELETE FROM {table} WHERE {column} IN ({matching})", [*where.params]) for table, column in columns
    ]


def vectors_by_id(tables: Tables, ids: str) -> Statement:
    """(id, embedding) of a JSON list of ids."""
    return (
        f"SELECT id, embedding FROM {tables.vectors} WHERE id IN (SELECT value FROM json_each(%s))",
        [ids],
    )


def sample(tables: Tables, limit: int) -> Statement:
    """(id, how many there are in all) of items from everywhere, the same at every call."""
    return (
        f"""SELECT id, (SELECT count(*) FROM {tables.items}) FROM {tables.items}
            ORDER BY id * 40503 %% 65536, id LIMIT %s""",
        [limit],
    )


def heads(tables: Tables, ids: str, characters: int) -> Statement:
    """(id, key, title, metadata, the start of the text, its length) of a JSON list of ids, by id."""
    return (
        f"""SELECT {_HEAD} FROM {tables.items} AS i
            WHERE i.id IN (SELECT value FROM json_each(%s)) ORDER BY i.id""",
        [characters, ids],
    )


def heads_after(tables: Tables, after: int, limit: int, where: Where | None, characters: int) -> Statement:
    """The same of the next items by id."""
    condition, params = _condition(where)
    return (
        f"""SELECT {_HEAD} FROM {tables.items} AS i
            WHERE i.id > %s AND {condition} ORDER BY i.id LIMIT %s""",
        [characters, after, *params, limit],
    )


def _condition(where: Where | None) -> Statement:
    return (where.sql, [*where.params]) if where else ("1", [])

"""The statements of checks and of measuring, which bound what they answer. Values are bound."""
# ruff: noqa: S608 - nothing but the primary key of a collection is ever put into SQL

from __future__ import annotations

from typing import Final

from vectors.rows import ANSWER_BYTES
from vectors.sql import Statement, Tables

_ROWS: Final = 500


def contents_after(tables: Tables, last_id: int) -> Statement:
    """(id, key, title, text, content hash, embedding or NULL) by id, as many as fit one answer."""
    ids, params = tables.fitting("id > %s", [last_id], _ROWS, ANSWER_BYTES, 4 * tables.dimensions)
    return (
        f"""SELECT i.id, i.key, i.title, i.text, i.content_hash, v.embedding
            FROM {tables.items} AS i LEFT JOIN {tables.vectors} AS v ON v.id = i.id
            WHERE i.id IN ({ids}) ORDER BY i.id""",
        params,
    )


def ids_without_text(tables: Tables) -> Statement:
    """(id) of items that the full text lacks."""
    return (
        f"SELECT id FROM {tables.items} WHERE {_without_text(tables)} ORDER BY id",
        [],
    )


def items_without_text(tables: Tables) -> Statement:
    """(id, title, text) of items that the full text lacks, as many as fit one answer."""
    ids, params = tables.fitting(_without_text(tables), [], _ROWS, ANSWER_BYTES)
    return f"SELECT id, title, text FROM {tables.items} WHERE id IN ({ids}) ORDER BY id", params


def forget_hashes(tables: Tables, keys: str) -> Statement:
    """Give the items of a JSON list of keys a content hash that no content has."""
    return (
        f"""UPDATE {tables.items} SET content_hash = ''
            WHERE key IN (SELECT value FROM json_each(%s)) AND content_hash <> ''""",
        [keys],
    )


def list_bytes(tables: Tables, version: int) -> Statement:
    """(list, bytes of its codes) of each list that is there."""
    return f"SELECT list, sum(length(codes)) FROM {tables.lists} WHERE version = %s GROUP BY list", [version]


def _without_text(tables: Tables) -> str:
    return f"id NOT IN (SELECT id FROM {tables.fts}_docsize)"

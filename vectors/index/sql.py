"""The statements of an index: its blocks of codes, its centroids and its lists. Values are bound."""
# ruff: noqa: S608 - nothing but the primary key of a collection is ever put into SQL

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from vectors.models import Index
from vectors.sql import Statement, Tables

_LIST: Final = "(SELECT value FROM json_each(%s))"
_INDEXES: Final = Index._meta.db_table
STATE: Final = (
    *("version", "last_id", "rows", "middle", "lists", "lists_last_id", "lists_rows", "settings"),
    *("is_diskann", "deleted"),
)


def state(tables: Tables) -> Statement:
    """The STATE of the index; no row where the collection has none."""
    return f"SELECT {', '.join(STATE)} FROM {_INDEXES} WHERE collection_id = %s", [tables.pk]


# -- blocks: codes in the order of ids, each block up to and with its last id ------------------------------


def blocks_after(tables: Tables, version: int, last_id: int, limit: int) -> Statement:
    """The next blocks that end past `last_id` → (last_id, codes)."""
    return (
        f"""SELECT last_id, codes FROM {tables.blocks} WHERE version = %s AND last_id > %s
            ORDER BY last_id LIMIT %s""",
        [version, last_id, limit],
    )


def last_block(tables: Tables, version: int) -> Statement:
    return (
        f"SELECT last_id, codes FROM {tables.blocks} WHERE version = %s ORDER BY last_id DESC LIMIT 1",
        [version],
    )


def insert_block(tables: Tables, version: int, last_id: int, codes: bytes) -> Statement:
    return (
        f"INSERT INTO {tables.blocks} (version, last_id, codes) VALUES (%s, %s, %s)",
        [version, last_id, codes],
    )


def delete_block(tables: Tables, version: int, last_id: int) -> Statement:
    return f"DELETE FROM {tables.blocks} WHERE version = %s AND last_id = %s", [version, last_id]


# -- lists -------------------------------------------------------------------------------------------------


def insert_list(tables: Tables, version: int, number: int, part: int, codes: bytes) -> Statement:
    return (
        f"INSERT INTO {tables.lists} (version, list, part, codes) VALUES (%s, %s, %s, %s)",
        [version, number, part, codes],
    )


def lists_of(tables: Tables, version: int, numbers: Sequence[int]) -> Statement:
    """The parts of these lists, in order → (list, codes)."""
    return (
        f"""SELECT list, codes FROM {tables.lists} WHERE version = %s AND list IN {_LIST}
            ORDER BY list, part""",
        [version, json.dumps([int(number) for number in numbers])],
    )


def parts_after(tables: Tables, version: int, number: int, part: int, limit: int) -> Statement:
    """The next parts of a list → (part, codes)."""
    return (
        f"""SELECT part, codes FROM {tables.lists} WHERE version = %s AND list = %s AND part > %s
            ORDER BY part LIMIT %s""",
        [version, number, part, limit],
    )


def insert_centroids(tables: Tables, version: int, first: int, vectors: bytes) -> Statement:
    return (
        f"INSERT INTO {tables.centroids} (version, first, vectors) VALUES (%s, %s, %s)",
        [version, first, vectors],
    )


def centroids_from(tables: Tables, version: int, first: int, limit: int) -> Statement:
    """Runs of centroids, number `first` and on → (first, vectors)."""
    return (
        f"""SELECT first, vectors FROM {tables.centroids} WHERE version = %s AND first >= %s
            ORDER BY first LIMIT %s""",
        [version, first, limit],
    )


# -- versions ----------------------------------------------------------------------------------------------


def delete_other_versions(tables: Tables, keep: Sequence[int], limit: int) -> list[Statement]:
    """Up to `limit` rows each of what belongs to no version of `keep`."""
    kept = json.dumps(list(keep))
    return [
        (
            f"""DELETE FROM {table} WHERE rowid IN
                (SELECT rowid FROM {table} WHERE version NOT IN {_LIST} LIMIT %s) RETURNING 1""",
            [kept, limit],
        )
        for table in (tables.blocks, tables.lists, tables.centroids)
    ]


def rows_up_to(tables: Tables, last_id: int) -> Statement:
    return f"SELECT count(*) FROM {tables.vectors} WHERE id <= %s", [last_id]


def last_id(tables: Tables) -> Statement:
    """The greatest id, or NULL."""
    return f"SELECT max(id) FROM {tables.vectors}", []


def vectors_of(tables: Tables, ids: str) -> Statement:
    """Embeddings of a JSON list of ids, by id → (id, embedding)."""
    return f"SELECT id, embedding FROM {tables.vectors} WHERE id IN {_LIST} ORDER BY id", [ids]


def ids_at(tables: Tables, places: str) -> Statement:
    """(id) of the items at a JSON list of places in the order of ids, the first being 1."""
    return (
        f"""SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM {tables.items})
            WHERE place IN {_LIST} ORDER BY id""",
        [places],
    )


def ids_after(tables: Tables, after: int, limit: int) -> Statement:
    """(version, last id, deleted) of the index, then (id, NULL, NULL) of the next items, of one moment."""
    return (
        f"""SELECT version, last_id, deleted FROM {_INDEXES} WHERE collection_id = %s
            UNION ALL
            SELECT id, NULL, NULL FROM (SELECT id FROM {tables.items} WHERE id > %s ORDER BY id LIMIT %s)""",
        [tables.pk, after, limit],
    )


def vectors_between(tables: Tables, after: int, up_to: int, limit: int) -> Statement:
    """Embeddings with after < id ≤ up_to, by id → (id, embedding)."""
    return (
        f"SELECT id, embedding FROM {tables.vectors} WHERE id > %s AND id <= %s ORDER BY id LIMIT %s",
        [after, up_to, limit],
    )


# -- figures and checks ------------------------------------------------------------------------------------


def row_counts(tables: Tables, last_id: int) -> Statement:
    """(rows, rows past `last_id`)."""
    return (
        f"""SELECT (SELECT count(*) FROM {tables.items}),
                   (SELECT count(*) FROM {tables.vectors} WHERE id > %s)""",
        [last_id],
    )


def list_lengths(tables: Tables, version: int) -> Statement:
    """(bytes of codes) of each list."""
    return f"SELECT sum(length(codes)) FROM {tables.lists} WHERE version = %s GROUP BY list", [version]


def sizes(tables: Tables) -> Statement:
    """(table or index, bytes of its pages) of what belongs to the collection; no other page is read."""
    return (
        """SELECT s.name, s.pgsize FROM sqlite_schema AS t CROSS JOIN dbstat AS s ON s.name = t.name
           WHERE t.name LIKE %s ESCAPE '!' AND t.rootpage > 0 AND s.aggregate = 1""",
        [f"%vec!_{tables.pk}!_%"],
    )


def figures(tables: Sequence[Tables]) -> Statement:
    """(primary key, items, bytes of embeddings, codes, centroids and lists) of each collection."""
    return " UNION ALL ".join(map(_figures, tables)), []


def _figures(tables: Tables) -> str:
    blobs = ((tables.blocks, "codes"), (tables.lists, "codes"), (tables.centroids, "vectors"))
    index = " + ".join(f"(SELECT total(length({column})) FROM {table})" for table, column in blobs)
    count = f"(SELECT count(*) FROM {tables.items})"
    return f"SELECT {tables.pk}, {count}, {count} * {4 * tables.dimensions} + {index}"


def vectors_without_item(tables: Tables) -> Statement:
    """(id)"""
    return f"SELECT id FROM {tables.vectors} WHERE id NOT IN (SELECT id FROM {tables.items})", []


def texts_without_item(tables: Tables) -> Statement:
    """(id)"""
    return f"SELECT id FROM {tables.fts}_docsize WHERE id NOT IN (SELECT id FROM {tables.items})", []


def other_versions(tables: Tables, keep: Sequence[int]) -> Statement:
    """(rows that belong to no version of `keep`)."""
    kept = json.dumps(list(keep))
    counts = " + ".join(
        f"(SELECT count(*) FROM {table} WHERE version NOT IN {_LIST})"
        for table in (tables.blocks, tables.lists, tables.centroids)
    )
    return f"SELECT {counts}", [kept] * 3

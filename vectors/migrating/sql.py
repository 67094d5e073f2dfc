"""The statements that compare the two spaces of a migration. Values are bound."""
# ruff: noqa: S608 - building SQL is what this module is for; nothing but primary keys is ever put into it

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vectors.migrating.models import EmbeddingMigration
from vectors.sql import Statement, Tables

# Known by name: `vectors.models` imports this package before a model of its own could be asked.
_COLLECTIONS: Final = "vector_collections"
_LIST: Final = "(SELECT value FROM json_each(%s))"
_MIGRATIONS: Final = EmbeddingMigration._meta.db_table
_SAMPLE_CHARACTERS: Final = 1_000_000
# The item `s` has no equal in the other space, where `t` would be it.
_DIFFERS: Final = "(t.id IS NULL OR t.content_hash <> s.content_hash OR t.metadata <> s.metadata)"


def spaces(pk: int, fields: Sequence[str]) -> Statement:
    """(metadata_schema of the collection, id of the live space, JSON list of `fields` of the other space).

    All but the first are NULL without a migration; no row where the collection is gone.
    """
    others = ", ".join(f"o.{field}" for field in fields)
    return (
        f"""SELECT c.metadata_schema, m.live_id,
                   (SELECT json_array({others}) FROM {_COLLECTIONS} AS o
                    WHERE o.id = m.live_id + m.spare_id - c.id)
            FROM {_COLLECTIONS} AS c LEFT JOIN {_MIGRATIONS} AS m ON c.id IN (m.live_id, m.spare_id)
            WHERE c.id = %s""",
        [pk],
    )


def lacking(source: Tables, target: Tables, after: int, limit: int) -> Statement:
    """Items with an id past `after` that the target lacks or has otherwise, by id.

    → (id, key, content_hash, bytes of title, text and metadata, whether only the metadata differs).
    """
    return (
        f"""SELECT s.id, s.key, s.content_hash,
                   octet_length(s.title) + octet_length(s.text) + octet_length(s.metadata),
                   t.content_hash IS s.content_hash
            FROM {source.items} AS s LEFT JOIN {target.items} AS t ON t.key = s.key
            WHERE s.id > %s AND {_DIFFERS} ORDER BY s.id LIMIT %s""",
        [after, limit],
    )


def count_lacking(source: Tables, target: Tables) -> Statement:
    """How many items the target lacks or has otherwise."""
    return (
        f"""SELECT count(*) FROM {source.items} AS s LEFT JOIN {target.items} AS t ON t.key = s.key
            WHERE {_DIFFERS}""",
        [],
    )


def size_lacking(source: Tables, target: Tables | None) -> Statement:
    """(rows, characters of titles and texts) of the items that the target lacks or has with other content."""
    rows = f"SELECT count(*), total(length(s.title) + length(s.text)) FROM {source.items} AS s"
    if target is None:
        return rows, []
    return (
        f"""{rows} LEFT JOIN {target.items} AS t ON t.key = s.key
            WHERE t.id IS NULL OR t.content_hash <> s.content_hash""",
        [],
    )


def surplus(source: Tables, target: Tables, limit: int) -> Statement:
    """Keys of items that only the target has."""
    return (
        f"""SELECT t.key FROM {target.items} AS t LEFT JOIN {source.items} AS s ON s.key = t.key
            WHERE s.id IS NULL LIMIT %s""",
        [limit],
    )


def items(tables: Tables, keys: str) -> Statement:
    """(key, content_hash, created_at, updated_at, metadata, title, text) of a JSON list of keys."""
    return (
        f"""SELECT key, content_hash, created_at, updated_at, metadata, title, text FROM {tables.items}
            WHERE key IN {_LIST}""",
        [keys],
    )


def heads(tables: Tables, keys: str) -> Statement:
    """The same without the texts."""
    return (
        f"""SELECT key, content_hash, created_at, updated_at, metadata FROM {tables.items}
            WHERE key IN {_LIST}""",
        [keys],
    )


def update_hashes(tables: Tables, rows: str) -> Statement:
    """From a JSON list of [key, content hash, the new one]; others than that hash stay."""
    return (
        f"""UPDATE {tables.items} SET content_hash = new.value ->> 2 FROM json_each(%s) AS new
            WHERE {tables.items}.key = new.value ->> 0 AND {tables.items}.content_hash = new.value ->> 1""",
        [rows],
    )


def sample(tables: Tables, limit: int) -> Statement:
    """(key, title, text) of rows from everywhere, the same at every call; texts cut to 1 MB in all or so."""
    return (
        f"""SELECT key, title, substr(text, 1, %s) FROM {tables.items}
            WHERE id IN (SELECT id FROM {tables.items} ORDER BY id * 40503 % 65536, id LIMIT %s)""",
        [_SAMPLE_CHARACTERS // limit, limit],
    )


def index_bytes(tables: Tables) -> Statement:
    """Bytes of the embeddings and of their index."""
    blobs = [(tables.blocks, "codes"), (tables.lists, "codes"), (tables.centroids, "vectors")]
    sums = " + ".join(f"(SELECT total(length({column})) FROM {table})" for table, column in blobs)
    return f"SELECT (SELECT count(*) FROM {tables.vectors}) * {4 * tables.dimensions} + {sums}", []

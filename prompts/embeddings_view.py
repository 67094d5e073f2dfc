"""The view ``prompt_embeddings``: one row a prompt, with its vector, for those who read with plain SQL.

It is made after every migration and dropped before, because SQLite refuses to rebuild a table that a view
names.
"""

from django.db import connections

from vectors.models import Collection
from vectors.sql import Tables

_DROP = "DROP VIEW IF EXISTS prompt_embeddings"


def drop(using: str = "default") -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(_DROP)


def create(collection: Collection | None, using: str = "default") -> None:
    """Make the view over `collection`, or one without rows where there is none yet."""
    if collection is None:
        vector, joins = "CAST(NULL AS BLOB)", "WHERE 0"
    else:
        tables = Tables.of(collection)
        vector = "vectors.embedding"
        joins = (
            f"JOIN {tables.items} AS items ON items.key = records.prompt_id "
            f"JOIN {tables.vectors} AS vectors ON vectors.id = items.id "
            f"WHERE records.collection_id = {int(collection.pk)}"
        )
    with connections[using].cursor() as cursor:
        cursor.execute(_DROP)
        cursor.execute(
            f"CREATE VIEW prompt_embeddings AS "  # noqa: S608 - names made from a primary key
            f"SELECT records.id, records.prompt_id, {vector} AS embedding, records.model, records.created_at "
            f"FROM prompt_embedding_records AS records {joins}"
        )

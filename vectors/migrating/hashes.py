"""What the content hashes of a new space say once the old one goes."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction

from vectors.items import StoredItem, content_hash
from vectors.migrating import sql
from vectors.migrating.models import EmbeddingMigration
from vectors.reading import iterate, vectors_by_key
from vectors.rows import as_json, execute, in_batches
from vectors.sql import Tables

_AT_ONCE = 500


def forget_old_embeddings(migration: EmbeddingMigration, alias: str) -> None:
    """Have no hash of the live space tell of an embedding that a caller brought and only the old space has.

    Both spaces are changed alike, so that neither lacks anything if this is cut short.
    """
    for some in in_batches(((one, 1) for one in _suspects(migration, alias)), size=_AT_ONCE, count=_AT_ONCE):
        vectors = vectors_by_key(migration.live, [one.key for one in some], using=alias)
        changes = [
            [one.key, one.content_hash, content_hash(one.title, one.text, None)]
            for one in some
            if one.content_hash != content_hash(one.title, one.text, vectors.get(one.key))
        ]
        with transaction.atomic(using=alias):
            for space in (migration.spare, migration.live):
                execute(alias, sql.update_hashes(Tables.of(space), as_json(changes)))


def _suspects(migration: EmbeddingMigration, alias: str) -> Iterator[StoredItem]:
    """Items of the live space whose hash is that of more than their text."""
    for one in iterate(migration.live, using=alias):
        if one.content_hash != content_hash(one.title, one.text, None):
            yield one

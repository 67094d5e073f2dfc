"""Change what a collection says of its metadata, once every stored row satisfies it."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from vectors.errors import InvalidCollection, shown
from vectors.metadata_schema import MetadataSchema, parse
from vectors.migrating.spaces import spaces_of
from vectors.models import Collection
from vectors.rows import execute, writing_alias
from vectors.sql import Tables

# Keys named in the refusal of a schema.
_NAMED = 5


def set_metadata_schema(
    collection: Collection, fields: object, *, strict: bool = False, using: str | None = None
) -> None:
    """Have the metadata of a collection, stored and to come, satisfy a schema.

    No fields and `strict` false take it away. Indexes are made and dropped in the same transaction. Raises
    InvalidCollection where the schema is not one, or where stored rows do not satisfy it, naming the first.
    """
    alias, tables = writing_alias(collection, using), Tables.of(collection)
    with transaction.atomic(using=alias):
        row = Collection.objects.using(alias).select_for_update().get(pk=collection.pk)
        before = MetadataSchema.stored(row.metadata_schema)
        after = parse(fields, strict=strict, before=before)
        statement = after.offenders(tables, _NAMED + 1)
        if statement and (found := [key for (key,) in execute(alias, statement)]):
            named = ", ".join(shown(key) for key in found[:_NAMED]) + (", …" if len(found) > _NAMED else "")
            expected = "a schema that all stored items satisfy"
            raise InvalidCollection("metadata_schema", expected, f"other metadata in {named}")
        stored, now = after.as_stored(), timezone.now()
        for space in spaces_of(collection, alias):
            place = Tables.of(space)
            Collection.objects.using(alias).filter(pk=space.pk).update(metadata_schema=stored, updated_at=now)
            for ddl in (*before.drop_indexes(place, after), *after.create_indexes(place, before)):
                execute(alias, (ddl, []))
    collection.metadata_schema, collection.updated_at = stored, now


def adopt_schema(collection: Collection, *, using: str | None = None) -> None:
    """Check items against the schema that the database holds from now on."""
    collection.metadata_schema = spaces_of(collection, writing_alias(collection, using)).schema

"""Two schemas beside each other: the one that the migrations make, and the one that is there."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections

from ops.environments.opening import opened_database
from ops.snapshots import read_schema
from prompts import database
from vectors.metadata_schema import MetadataSchema
from vectors.models import Collection, Index
from vectors.sql import Tables

from .reading import Entry

_SCRATCH: Final = "doctor:scratch"
_COLUMNS: Final = re.compile(r"\s+|[\"`\[\]]")
# Tables that full text and libSQL's own index keep for themselves.
_SHADOW: Final = re.compile(r"table vec_\d+_(fts_\w+|diskann_shadow)|index vec_\d+_diskann_shadow_idx")

Schema = dict[str, str]


@dataclass(frozen=True, slots=True)
class Drift:
    """Each by its kind and name, such as `index prompts_newest`, with the SQL that the migrations have for
    it, or that is there where they have none."""

    missing: Schema = field(default_factory=dict)
    extra: Schema = field(default_factory=dict)
    changed: Schema = field(default_factory=dict)


def compare(expected: Mapping[str, str], found: Mapping[str, str]) -> Drift:
    expected, found = _own(expected), _own(found)
    return Drift(
        missing={name: sql for name, sql in expected.items() if name not in found},
        extra={name: sql for name, sql in found.items() if name not in expected},
        changed={
            name: sql
            for name, sql in expected.items()
            if name in found and _plain(found[name]) != _plain(sql)
        },
    )


def expected_schema(entry: Entry) -> Schema:
    """What all migrations make in an empty database in memory, and the tables of the collections that the
    default database has."""
    collections = list(Collection.objects.all())
    built_in = set(Index.objects.filter(is_diskann=True).values_list("collection_id", flat=True))
    with _scratch(entry) as alias:
        call_command("migrate", database=alias, interactive=False, verbosity=0, skip_checks=True)
        # Past the signals of `save`, which tell others.
        Collection.objects.using(alias).all().delete()
        Collection.objects.using(alias).bulk_create(collections)
        with connections[alias].cursor() as cursor:
            for collection in collections:
                for statement in _statements(collection, with_index=collection.pk in built_in):
                    cursor.execute(statement)
        database.create(alias)
        return read_schema(alias)


def _statements(collection: Collection, *, with_index: bool) -> list[str]:
    tables = Tables.of(collection)
    schema = MetadataSchema.stored(collection.metadata_schema)
    made = [*tables.create(), *schema.create_indexes(tables)]
    return [*made, tables.create_diskann()] if with_index else made


def found_schema() -> Schema:
    return read_schema(DEFAULT_DB_ALIAS)


@contextmanager
def _scratch(entry: Entry) -> Iterator[str]:
    options: dict[str, Any] = {}
    with opened_database(_SCRATCH, {**entry, "NAME": ":memory:", "OPTIONS": options}) as alias:
        yield alias


def _own(schema: Mapping[str, str]) -> Schema:
    return {name: sql for name, sql in schema.items() if not _SHADOW.fullmatch(name)}


def _plain(sql: str) -> str:
    """Without what is a matter of writing: space, quotes, case, and whether it was there before."""
    return _COLUMNS.sub("", sql).lower().replace("ifnotexists", "")

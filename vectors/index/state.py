"""What an index is at a moment, as its row in the database says."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from django.db import DatabaseError, IntegrityError

from vectors.codec import Matrix
from vectors.errors import CollectionNotFound, VectorError, shown
from vectors.index import sql
from vectors.models import Collection
from vectors.rows import execute
from vectors.sql import Tables

# The binding rounds integers from 2³¹ on, so versions stay below.
_VERSIONS: Final = 2**31


@dataclass(frozen=True, slots=True)
class State:
    """An index of `rows` codes around `middle`, float32 (dimensions,), for all ids up to `last_id`.

    `lists` of them were made of the `lists_rows` rows up to `lists_last_id`. `deleted` items are gone since.
    Version 0 stands for no index.
    """

    version: int = 0
    last_id: int = 0
    rows: int = 0
    middle: Matrix = field(default_factory=lambda: np.empty(0, np.float32))
    lists: int = 0
    lists_last_id: int = 0
    lists_rows: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_diskann: bool = False
    deleted: int = 0


class Seen(NamedTuple):
    """What the answer of a search says of an index: as much as tells whether it is as it was."""

    version: int = 0
    last_id: int = 0
    deleted: int = 0
    is_diskann: bool = False

    @staticmethod
    @lru_cache(maxsize=64)
    def of(values: str | None) -> Seen:
        """From the JSON list of the fields, which is None where there is no index."""
        if values is None:
            return Seen()
        version, last_id, deleted, is_diskann = json.loads(values)
        return Seen(version, last_id, deleted, bool(is_diskann))


def read_state(tables: Tables, alias: str) -> State:
    """The state of a collection's index, as the database holds it."""
    rows = execute(alias, sql.state(tables))
    if not rows:
        return State()
    version, last_id, count, middle, lists, lists_last_id, lists_rows, settings, is_diskann, deleted = rows[0]
    return State(
        version=version,
        last_id=last_id,
        rows=count,
        middle=np.frombuffer(middle, "<f4"),
        lists=lists,
        lists_last_id=lists_last_id,
        lists_rows=lists_rows,
        settings=json.loads(settings),
        is_diskann=bool(is_diskann),
        deleted=deleted,
    )


@contextmanager
def while_it_exists(collection: Collection, alias: str) -> Iterator[None]:
    """Raise CollectionNotFound where the block fails since the collection was deleted meanwhile."""
    try:
        yield
    except (DatabaseError, VectorError) as error:
        # A row for a collection that is gone breaks a foreign key. Other failures of a database say nothing.
        is_sign = isinstance(error, VectorError | IntegrityError) or "no such table" in str(error)
        if not is_sign or Collection.objects.using(alias).filter(pk=collection.pk).exists():
            raise
        expected = "one that is not deleted meanwhile"
        raise CollectionNotFound("collection", expected, shown(collection.name)) from error


def new_version() -> int:
    """A random number that no other build has, so that two histories of one database differ."""
    return 1 + secrets.randbelow(_VERSIONS - 1)

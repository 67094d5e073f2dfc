"""Collections as searches of this process last met them, so that a search by name looks nothing up.

What is kept here is not trusted: the statement of each search also reads the collection's row, and a search
that went by another one starts over with what it has read. So it does not matter who changed the row, nor
how: another process, plain SQL, or a rollback.
"""

from __future__ import annotations

import json
from copy import copy
from typing import Any, Final

from django.db import DatabaseError, connections

from vectors.catalogue import get_collection
from vectors.errors import CollectionNotFound, VectorError, shown
from vectors.models import Collection
from vectors.rows import database_behind

# All that a search goes by; each is the name of its column too.
FIELDS: Final = (
    *("id", "name", "embedder", "model", "dimensions", "metric", "strategy", "keyword_weight"),
    *("keyword_weight_cjk", "metadata_schema", "generation"),
)
_SCHEMA: Final = FIELDS.index("metadata_schema")
# What all rows of a generation were made with.
_OF_THE_ROWS: Final = ("embedder", "model", "dimensions", "metric", "metadata_schema", "generation")
# Of these, what changes by itself: of the others another generation tells.
_CHANGING: Final = ("generation", "metadata_schema")
_MAX_COLLECTIONS: Final = 256
# Where a collection that is kept remembers what the database said of it, to compare the next answer with.
_CONFIRMED: Final = "_confirmed_values"
# What libSQL says where the tables of a collection are not those that a statement was made for.
_SIGNS: Final = ("no such table", "vector")
_known: dict[tuple[str, str, str], Collection] = {}


class Reference:
    """The collection that a search is about. `current` is what it goes by; `confirm` tells whether rightly.

    One that the caller has read is taken as it is, unsaved settings included, until the database holds
    another generation of it, or another schema: then other rows are there, and what they were made with
    counts.
    """

    def __init__(self, collection: Collection | str, alias: str) -> None:
        self._alias = alias
        self._name = collection if isinstance(collection, str) else None
        # Not to be changed: threads share it.
        self.current = _lookup(collection, alias) if isinstance(collection, str) else collection

    def confirm(self, values: str | None) -> bool:
        """Is `current` what the database holds, whose FIELDS this JSON lists? If not, it is from now on.

        None says that the database holds none; raises CollectionNotFound then.
        """
        if values is not None and values == getattr(self.current, _CONFIRMED, None):
            return True
        stored = None if values is None else Collection.from_db(self._alias, FIELDS, _parsed(values))
        if stored is None or stored.name != (self._name or stored.name):
            self._adopt(self._look_up())
            return False
        is_same = not self._adopt(stored)
        if is_same and self._name is not None:
            setattr(self.current, _CONFIRMED, values)
        return is_same

    def doubt(self, error: DatabaseError | VectorError) -> None:
        """After a statement that failed, or settings that did not fit: go by what the database holds now.

        Raises CollectionNotFound where it holds none, and the error where nothing has changed, or where the
        error has nothing to do with the collection.
        """
        if self._name is not None:
            _known.pop(_key(self._name, self._alias), None)
        if isinstance(error, DatabaseError) and not any(sign in str(error) for sign in _SIGNS):
            raise error
        if not self._adopt(self._look_up()):
            raise error

    def _adopt(self, stored: Collection) -> bool:
        """Go by what the database holds; is it news?"""
        if self._name is not None:
            if is_news := not _is_same(stored, self.current):
                self.current = _known[_key(self._name, self._alias)] = stored
        elif is_news := any(getattr(stored, field) != getattr(self.current, field) for field in _CHANGING):
            self.current = copy(self.current)
            for field in _OF_THE_ROWS:
                setattr(self.current, field, getattr(stored, field))
        return is_news

    def _look_up(self) -> Collection:
        if self._name is not None:
            _known.pop(_key(self._name, self._alias), None)
            return _lookup(self._name, self._alias)
        stored = Collection.objects.using(self._alias).filter(pk=self.current.pk).first()
        if stored is None:
            raise CollectionNotFound("collection", "one that exists", shown(self.current.name))
        return stored


def _parsed(values: str) -> list[Any]:
    """FIELDS as Python has them: JSON in a column is text inside the list."""
    fields: list[Any] = json.loads(values)
    fields[_SCHEMA] = json.loads(fields[_SCHEMA])
    return fields


def _lookup(name: str, alias: str) -> Collection:
    key = _key(name, alias)
    collection = _known.get(key)
    if collection is None:
        collection = get_collection(name, using=alias)
        if len(_known) >= _MAX_COLLECTIONS:
            _known.clear()
        _known[key] = collection
    return collection


def _is_same(one: Collection, other: Collection) -> bool:
    """Does it make no difference to a search which of the two it goes by?"""
    return all(getattr(one, field) == getattr(other, field) for field in FIELDS)


def _key(name: str, alias: str) -> tuple[str, str, str]:
    return (alias, database_behind(connections[alias]), name)

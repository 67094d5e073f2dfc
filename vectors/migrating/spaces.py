"""The two spaces of a collection whose embedding model is being changed, as every writer meets them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from vectors.errors import CollectionNotFound, InvalidVector, StaleBatch, shown
from vectors.known import FIELDS
from vectors.migrating import sql
from vectors.models import Collection
from vectors.rows import execute

T = TypeVar("T")

_log = logging.getLogger(__name__)
# Seconds for which an embedder that failed for a spare space is not asked again: writers would wait for it.
PAUSE: Final = 30.0
_failed: dict[tuple[str, int], float] = {}


@dataclass(frozen=True, slots=True)
class Spaces:
    """`live` is searched; `spare`, if there is one, has the same items in another embedding.

    `schema` is what the database says of their metadata, as stored.
    """

    live: Collection
    spare: Collection | None
    schema: dict[str, Any]

    def confirm_schema(self, checked: Collection) -> None:
        """Raise StaleBatch where the database holds another schema than `checked`, to which items conform."""
        if self.schema != checked.metadata_schema:
            raise StaleBatch("items", "the metadata schema met by prepare()", "another one")

    def __iter__(self) -> Iterator[Collection]:
        yield self.live
        if self.spare is not None:
            yield self.spare


def spaces_of(collection: Collection, alias: str) -> Spaces:
    """The spaces that writes to `collection` go to, in whichever role it is: one statement.

    In a transaction this holds until its end, as a switch and a change of the schema wait for it. Raises
    CollectionNotFound.
    """
    rows = execute(alias, sql.spaces(collection.pk, FIELDS))
    if not rows:
        raise CollectionNotFound("collection", "one that exists", shown(collection.name))
    schema, live, fields = rows[0]
    stored: dict[str, Any] = json.loads(schema)
    if live is None:
        return Spaces(collection, None, stored)
    settings = dict(zip(FIELDS, json.loads(fields), strict=True))
    settings["metadata_schema"] = json.loads(settings["metadata_schema"])
    other = Collection.from_db(alias, list(settings), list(settings.values()))
    if live == collection.pk:
        return Spaces(collection, other, stored)
    return Spaces(other, collection, stored)


def attempt(spare: Collection, alias: str, embed: Callable[[], T], otherwise: T) -> T:
    """What `embed` makes for a spare space, or `otherwise`: its embedder must not keep the live one waiting.

    What is not made here is made by the next filling.
    """
    place = (alias, spare.pk)
    if time.monotonic() - _failed.get(place, -PAUSE) < PAUSE:
        return otherwise
    try:
        made = embed()
    except Exception as error:  # noqa: BLE001 - an embedder may be anybody's
        if not isinstance(error, InvalidVector):  # which is about these texts, not about the embedder
            _failed[place] = time.monotonic()
        _log.warning("Items are left to be filled into %s later: %s", spare.name, error)
        return otherwise
    _failed.pop(place, None)
    return made

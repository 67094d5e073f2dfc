"""What the operations of the vectors API have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path
from ninja.errors import HttpError

from vectors.browsing import vectors_of
from vectors.codec import Matrix
from vectors.errors import InvalidQuery, shown
from vectors.hits import Hit
from vectors.items import StoredItem
from vectors.managed import refusal
from vectors.models import Collection


def refuse_managed(name: str) -> None:
    """A collection that another app keeps in step with its own rows cannot be changed here."""
    if reason := refusal(name):
        raise HttpError(409, reason)


def refuse_unknown(request: HttpRequest, known: Sequence[str] = ()) -> None:
    """Refuse what would be passed over in the query string, where that changes the answer."""
    for name in request.GET:
        if name not in known:
            raise InvalidQuery(
                name, f"{', '.join(known) or 'no parameters'} in the query string", shown(name)
            )


def locate(request: HttpRequest, response: HttpResponse, name: object) -> None:
    """Say where what was made below the request's path is to be found."""
    response["Location"] = f"{escape_uri_path(request.path)}/{quote(str(name), safe='')}"


def vectors_for(
    collection: Collection, things: Iterable[StoredItem | Hit], include: Sequence[str]
) -> dict[int, Matrix]:
    """The embeddings by id, where they are to be shown."""
    return vectors_of(collection, [thing.id for thing in things]) if "vector" in include else {}


def parts(thing: StoredItem | Hit, include: Sequence[str], vectors: Mapping[int, Matrix]) -> dict[str, Any]:
    """The parts of an item or hit that are to be shown; a vector is null where the item has just gone."""
    found = {name: getattr(thing, name) for name in include if name != "vector"}
    if "vector" in include:
        vector = vectors.get(thing.id)
        found["vector"] = None if vector is None else vector.tolist()
    return found

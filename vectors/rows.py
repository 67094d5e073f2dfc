"""Running one statement of a collection, and where it runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, TypeVar

from django.db import DatabaseError, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.errors import InvalidQuery
from vectors.models import Collection
from vectors.sql import Statement
from vectors.validation import is_storable

T = TypeVar("T")
# What the database says of an answer that a server does not send, and how large answers of many rows are
# made instead: several such are in memory while one is read.
_TOO_LARGE: Final = "larger than 10 MB"
ANSWER_BYTES: Final = 4 * 2**20
# Bytes and number of values that travel as one parameter: a server takes 5 MB. JSON adds to them, and so do
# the bigrams of Japanese text.
PARAMETER_BYTES: Final = 7 * 2**18
_KEYS_A_PARAMETER: Final = 100_000


def execute(alias: str, statement: Statement) -> list[Any]:
    """Run a statement on the database `alias` and return its rows, a list of tuples."""
    return run(connections[alias], statement)


def run(connection: BaseDatabaseWrapper, statement: Statement) -> list[Any]:
    """Run a statement on a connection, which takes time to look up, and return its rows."""
    sql, params = statement
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[Any] = cursor.fetchall()
        return rows


@contextmanager
def within_an_answer(field: str, got: str, expected: str = "fewer items") -> Iterator[None]:
    """Raise InvalidQuery on `field` where a statement asks for more than a server sends at once."""
    try:
        yield
    except DatabaseError as error:
        if not _is_too_large(error):
            raise
        wanted = f"{expected}, as a libSQL server sends 10 MB at once"
        raise InvalidQuery(field, wanted, got) from error


def execute_on_keys(alias: str, about: Callable[[str], Statement], keys: Sequence[str]) -> list[Any]:
    """The rows of `about` for all keys, which go into several statements where one could not carry them.

    `about` makes a statement of a JSON list of keys. Where what it answers is too large for a server, it is
    asked about half of them at a time.
    """
    return [row for some in key_lists(keys) for row in _halving(alias, about, some)]


def key_lists(keys: Iterable[str]) -> Iterator[list[str]]:
    """Keys, in lists that one parameter can carry; without those that no item can have."""
    sized = ((key, size_of(key)) for key in keys if is_storable(key))
    return in_batches(sized, size=PARAMETER_BYTES, count=_KEYS_A_PARAMETER)


def size_of(*texts: str) -> int:
    """How many bytes texts take in a parameter, about: a character has 3 at most, save in rare scripts."""
    return sum(3 * len(text) + 3 for text in texts)


def _halving(alias: str, about: Callable[[str], Statement], keys: Sequence[str]) -> list[Any]:
    try:
        return execute(alias, about(as_json(keys)))
    except DatabaseError as error:
        if not _is_too_large(error) or len(keys) == 1:
            raise
    middle = len(keys) // 2
    return _halving(alias, about, keys[:middle]) + _halving(alias, about, keys[middle:])


def _is_too_large(error: DatabaseError) -> bool:
    return _TOO_LARGE in str(error)


def reading_alias(collection: Collection | str, using: str | None) -> str:
    """The database to read a collection from: the one asked for, or the router's choice.

    Without a router of the project's, that is where the collection itself was read from. It may be a replica.
    """
    return using or router.db_for_read(Collection, **_hints(collection))


def writing_alias(collection: Collection, using: str | None) -> str:
    """The database to write a collection to; see `reading_alias`."""
    return using or router.db_for_write(Collection, **_hints(collection))


def _hints(collection: Collection | str) -> dict[str, Collection]:
    return {} if isinstance(collection, str) else {"instance": collection}


def database_behind(connection: BaseDatabaseWrapper) -> str:
    """What stands for a database where something about it is kept: a digest, as its NAME may hold a token."""
    return _digest(str(connection.settings_dict["NAME"]))


@lru_cache(maxsize=64)
def _digest(name: str) -> str:
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def as_json(value: object) -> str:
    """Compact JSON, for a list that travels as one parameter."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def in_batches(sized: Iterable[tuple[T, int]], *, size: int, count: int) -> Iterator[list[T]]:
    """Things and their sizes, in runs that one statement can carry: up to `count`, of `size` in all.

    What is larger than `size` by itself comes alone.
    """
    batch: list[T] = []
    total = 0
    for one, length in sized:
        if batch and (total + length > size or len(batch) == count):
            yield batch
            batch, total = [], 0
        batch.append(one)
        total += length
    if batch:
        yield batch

"""Find near-identical items in a collection, in groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np

from vectors.codec import Matrix
from vectors.duplicates import sql
from vectors.duplicates.candidates import ByLists, ByProducts, Later, Pairs, is_among
from vectors.duplicates.stars import Places, Stars
from vectors.duplicates.thresholds import Threshold
from vectors.errors import InvalidQuery, shown
from vectors.index import blocks
from vectors.index.codes import Ids
from vectors.index.lists import Lists
from vectors.index.state import State, read_state, while_it_exists
from vectors.models import Collection
from vectors.reading import vectors_by_id
from vectors.rows import execute, reading_alias
from vectors.sql import Tables, id_list

# Rows that are compared each with every other where there are no lists: 50,000 × 384 take some 30 s.
MAX_ROWS: Final = 50_000
# Pairs kept in memory: some 100 MB while groups are made of them.
_MAX_PAIRS: Final = 1_000_000
_PAIRS_AT_ONCE: Final = 8_192
# Members of a group that are read and shown.
SHOWN: Final = 100

Steps = Callable[[Iterable[Iterator[Pairs]], int], Iterable[Iterator[Pairs]]]


@dataclass(frozen=True, slots=True)
class Member:
    """An item, and its cosine similarity to the representative of its group, or the distance under l2."""

    key: str
    title: str
    measure: float


@dataclass(frozen=True, slots=True)
class Group:
    """`size` items: one that represents them, and those that are near it.

    `members` are the nearest 100 of the latter, the nearest first.
    """

    size: int
    representative: Member
    members: list[Member]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """`groups`, the largest first, out of `found` in all, with `duplicates` rows beside representatives.

    `way` is how rows were compared: "lists" or "products".
    """

    rows: int
    way: str
    threshold: float
    found: int
    duplicates: int
    groups: list[Group]


def find_duplicates(
    collection: Collection,
    threshold: float | None = None,
    *,
    exact: bool = False,
    limit: int = 20,
    wrap: Steps = lambda steps, total: steps,
    using: str | None = None,
) -> Duplicates:
    """Groups of near-identical items, each near the one that represents its group (see `duplicates.stars`).

    `threshold` is a cosine similarity (default: 0.95), or a distance under l2. Where the collection has
    inverted lists only rows that share one are compared, which may miss a pair; `exact`, or no lists,
    compares all. `limit` bounds the groups that are read. Raises InvalidQuery, also for more than 50,000 rows
    without lists unless `exact`, IndexBusy where the index is built anew meanwhile, and CollectionNotFound
    where the collection is deleted.
    """
    with while_it_exists(collection, reading_alias(collection, using)):
        return _find(collection, threshold, exact, limit, wrap, reading_alias(collection, using))


def _find(
    collection: Collection, threshold: float | None, exact: bool, limit: int, wrap: Steps, alias: str
) -> Duplicates:
    near = Threshold(collection.metric, threshold)
    if limit < 1:
        raise InvalidQuery("limit", "a number from 1", shown(limit))
    tables = Tables.of(collection)
    state = read_state(tables, alias)
    lists = Lists.load(tables, alias, state) if state.lists and not exact else None
    if lists is None and not exact:
        rows = execute(alias, tables.count())[0][0]
        if rows > MAX_ROWS:
            raise InvalidQuery(
                "collection",
                f"one with inverted lists, or at most {MAX_ROWS:,} rows",
                f"{rows:,} rows without",
                "Build them with rebuild_vectors --strategy ivf, or pass --exact, which takes its time.",
            )
    ids, firsts, later = _scan(tables, alias, lists, state)
    search = _Search(tables, alias, near, ids, firsts)
    distinct = ids[firsts == np.arange(len(ids))]
    steps: ByLists | ByProducts
    if lists is None:
        steps = ByProducts(tables, alias, distinct, near)
    else:
        steps = ByLists(tables, alias, lists, later, distinct, near)
    for step in wrap(steps, len(steps)):
        for pairs in step:
            search.take(*pairs)
    found, duplicates, groups = search.groups(limit)
    return Duplicates(
        len(ids), "products" if lists is None else "lists", near.value, found, duplicates, groups
    )


def _scan(tables: Tables, alias: str, lists: Lists | None, state: State) -> tuple[Ids, Places, list[Later]]:
    """Read every row once: ids (n,), for each the place of the first with the same embedding, and later rows.

    Copies that are equal to the last bit may be many: they need not be compared with each other.
    """
    ids, later = [np.empty(0, np.int64)], []
    places: dict[bytes, int] = {}
    firsts: list[int] = []
    for some, matrix in blocks.read_vectors(tables, alias, 0, blocks.NO_END):
        ids.append(some)
        for row in matrix:
            digest = blake2b(row.tobytes(), digest_size=16).digest()
            firsts.append(places.setdefault(digest, len(firsts)))
        is_later = some > lists.last_id if lists is not None else np.zeros(len(some), bool)
        if lists is not None and is_later.any():
            later.append(Later.of(some[is_later], matrix[is_later], lists, state, tables.metric))
    return np.concatenate(ids), np.array(firsts, np.int64), later


class _Search:
    """Takes candidates, keeps those that are near, and knows the groups they make."""

    def __init__(self, tables: Tables, alias: str, threshold: Threshold, ids: Ids, firsts: Places) -> None:
        self._tables, self._alias, self._threshold = tables, alias, threshold
        self._ids, self._firsts = ids, firsts
        copies = np.bincount(firsts, minlength=len(firsts))
        self._stars = Stars(copies, threshold.order, _MAX_PAIRS)

    def take(self, ones: Ids, others: Ids) -> None:
        """Candidates, by their ids, to be measured exactly."""
        for start in range(0, len(ones), _PAIRS_AT_ONCE):
            one, other = ones[start : start + _PAIRS_AT_ONCE], others[start : start + _PAIRS_AT_ONCE]
            both, places = np.unique(np.concatenate([one, other]), return_inverse=True)
            there, matrix = vectors_by_id(self._tables, self._alias, both)
            is_there = is_among(one, there) & is_among(other, there)
            at = np.searchsorted(there, both)[places]
            first, second = at[: len(one)][is_there], at[len(one) :][is_there]
            measured = self._threshold.measures(matrix[first], matrix[second])
            near = self._threshold.holds(measured)
            self._stars.take(
                np.searchsorted(self._ids, there[first[near]]),
                np.searchsorted(self._ids, there[second[near]]),
                measured[near],
            )

    def groups(self, limit: int) -> tuple[int, int, list[Group]]:
        """How many groups there are, how many rows are in one beside its first, and the largest groups."""
        centres, measures = self._stars.groups()
        # Of equal rows only the first was compared: the others are as near as that one.
        same = np.float32(self._threshold.is_cosine)
        measures = np.where(centres == np.arange(len(centres)), same, measures)[self._firsts]
        centres = centres[self._firsts]
        sizes = np.bincount(centres, minlength=len(centres))
        found = np.flatnonzero(sizes > 1)
        largest = found[np.argsort(-sizes[found], kind="stable")][:limit]
        groups = (self._group(centre, int(sizes[centre]), centres, measures) for centre in largest.tolist())
        there = [group for group in groups if group is not None]
        return len(found), int((sizes[found] - 1).sum()), there

    def _group(self, centre: int, size: int, centres: Places, measures: Matrix) -> Group | None:
        """None where the representative has been deleted meanwhile."""
        members = np.flatnonzero(centres == centre)
        members = members[members != centre]
        nearest = members[np.argsort(self._threshold.order(measures[members]), kind="stable")][:SHOWN]
        names = self._names(np.sort(np.append(nearest, centre)))
        if centre not in names:
            return None
        shown = [
            Member(*names[place], round(float(measures[place]), 6))
            for place in [centre, *nearest.tolist()]
            if place in names
        ]
        return Group(size, shown[0], shown[1:])

    def _names(self, places: Places) -> dict[int, tuple[str, str]]:
        """Key and title of the rows at these places that are still there."""
        rows = execute(self._alias, sql.names_of(self._tables, id_list(self._ids[places])))
        return {int(np.searchsorted(self._ids, number)): (key, title) for number, key, title in rows}

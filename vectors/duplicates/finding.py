"""Find near-identical items in a collection, in groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import numpy as np

from vectors.codec import Matrix, from_blobs
from vectors.duplicates import sql
from vectors.duplicates.candidates import ByLists, ByProducts, Later, Pairs, is_among
from vectors.duplicates.components import Components, Places
from vectors.duplicates.thresholds import Threshold
from vectors.errors import InvalidQuery, shown
from vectors.index import blocks
from vectors.index.codes import Ids
from vectors.index.lists import Lists
from vectors.index.sql import vectors_of
from vectors.index.state import State, read_state
from vectors.models import Collection
from vectors.rows import execute, reading_alias
from vectors.sql import Tables, id_list

# Rows that are compared each with every other where there are no lists: 50,000 × 384 take some 30 s.
MAX_ROWS: Final = 50_000
# Pairs kept in memory; past that only those that a group hangs together by.
_MAX_PAIRS: Final = 1_000_000
_PAIRS_AT_ONCE: Final = 8_192
_NAMES_AT_ONCE: Final = 1_000
# Members and pairs of a group that are read and shown.
SHOWN: Final = 100

Steps = Callable[[Iterable[Iterator[Pairs]], int], Iterable[Iterator[Pairs]]]


@dataclass(frozen=True, slots=True)
class Member:
    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two keys and their cosine similarity, or their distance under l2."""

    one: str
    other: str
    measure: float


@dataclass(frozen=True, slots=True)
class Group:
    """`size` items that hang together by pairs; here are its first 100 members and nearest 100 pairs."""

    size: int
    members: list[Member]
    pairs: list[Pair]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """`groups`, the largest first, out of `found` in all, which have `duplicates` rows beside one each.

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
    """Groups of items that are near-identical, each to some other of its group.

    `threshold` is a cosine similarity (default: 0.95), or a distance under l2. Where the collection has
    inverted lists only rows that share one are compared, which may miss a pair; `exact`, or no lists,
    compares all. `limit` bounds the groups that are read. Raises InvalidQuery, also for more than 50,000 rows
    without lists unless `exact`, and IndexBusy where the index is built anew meanwhile.
    """
    near = Threshold(collection.metric, threshold)
    if limit < 1:
        raise InvalidQuery("limit", "a number from 1", shown(limit))
    alias, tables = reading_alias(collection, using), Tables.of(collection)
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
    search = _Search(tables, alias, near, ids)
    is_first = firsts == np.arange(len(ids))
    search.take_equal(firsts[~is_first], np.flatnonzero(~is_first))
    distinct = ids[is_first]
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

    def __init__(self, tables: Tables, alias: str, threshold: Threshold, ids: Ids) -> None:
        self._tables, self._alias, self._threshold, self._ids = tables, alias, threshold, ids
        self._components = Components(len(ids))
        self._kept: list[tuple[Places, Places, Matrix]] = []
        self._count = 0

    def take_equal(self, ones: Places, others: Places) -> None:
        """Rows, by their places, with the same embedding."""
        self._keep(ones, others, np.full(len(ones), float(self._threshold.is_cosine), np.float32))

    def take(self, ones: Ids, others: Ids) -> None:
        """Candidates, by their ids, to be measured exactly."""
        for start in range(0, len(ones), _PAIRS_AT_ONCE):
            one, other = ones[start : start + _PAIRS_AT_ONCE], others[start : start + _PAIRS_AT_ONCE]
            both, places = np.unique(np.concatenate([one, other]), return_inverse=True)
            there, matrix = self._read(both)
            is_there = is_among(one, there) & is_among(other, there)
            at = np.searchsorted(there, both)[places]
            first, second = at[: len(one)][is_there], at[len(one) :][is_there]
            measured = self._threshold.measures(matrix[first], matrix[second])
            near = self._threshold.holds(measured)
            self._keep(
                np.searchsorted(self._ids, there[first[near]]),
                np.searchsorted(self._ids, there[second[near]]),
                measured[near],
            )

    def groups(self, limit: int) -> tuple[int, int, list[Group]]:
        """How many groups there are, how many rows are in one beside its first, and the largest groups."""
        roots = self._components.roots(np.arange(len(self._ids)))
        sizes = np.bincount(roots, minlength=len(roots))
        firsts = np.flatnonzero(sizes > 1)
        firsts = firsts[np.argsort(-sizes[firsts], kind="stable")]
        ones, others, measured = self._pairs()
        groups = []
        for first in firsts[:limit].tolist():
            mine = np.flatnonzero(roots[ones] == first) if len(ones) else np.empty(0, np.int64)
            best = mine[np.argsort(self._threshold.order(measured[mine]), kind="stable")][:SHOWN]
            members = np.flatnonzero(roots == first)[:SHOWN]
            names = self._names(np.unique(np.concatenate([members, ones[best], others[best]])))
            groups.append(
                Group(
                    int(sizes[first]),
                    [names[place] for place in members.tolist() if place in names],
                    [
                        Pair(names[one].key, names[other].key, round(float(measure), 6))
                        for one, other, measure in zip(
                            ones[best].tolist(), others[best].tolist(), measured[best].tolist(), strict=True
                        )
                        if one in names and other in names
                    ],
                )
            )
        return len(firsts), int((sizes[firsts] - 1).sum()), groups

    def _keep(self, ones: Places, others: Places, measured: Matrix) -> None:
        joined = self._components.join(ones, others)
        if self._count > _MAX_PAIRS:
            ones, others, measured = ones[joined], others[joined], measured[joined]
        self._kept.append((ones, others, measured))
        self._count += len(ones)

    def _pairs(self) -> tuple[Places, Places, Matrix]:
        """What was kept, each pair once."""
        ones, others = (
            np.concatenate([np.empty(0, np.int64), *(kept[at] for kept in self._kept)]) for at in (0, 1)
        )
        measured = np.concatenate([np.empty(0, np.float32), *(kept[2] for kept in self._kept)])
        pairs = np.sort(np.stack([ones, others], axis=1), axis=1)
        pairs, at = np.unique(pairs, axis=0, return_index=True)
        return pairs[:, 0], pairs[:, 1], measured[at]

    def _read(self, ids: Ids) -> tuple[Ids, Matrix]:
        step = max(1, blocks.CHUNK_BYTES // (4 * self._tables.dimensions))
        rows: list[Any] = []
        for start in range(0, len(ids), step):
            rows += execute(self._alias, vectors_of(self._tables, id_list(ids[start : start + step])))
        return (
            np.array([row[0] for row in rows], np.int64),
            from_blobs((row[1] for row in rows), self._tables.dimensions),
        )

    def _names(self, places: Places) -> dict[int, Member]:
        names: dict[int, Member] = {}
        for start in range(0, len(places), _NAMES_AT_ONCE):
            ids = self._ids[places[start : start + _NAMES_AT_ONCE]]
            for number, key, title in execute(self._alias, sql.names_of(self._tables, id_list(ids))):
                names[int(np.searchsorted(self._ids, number))] = Member(key, title)
        return names

"""What each process holds of an index, and how it stays right without any notice from writers.

- Ids are append-only (see `vectors.sql`): a code in memory stands for the same embedding for ever, or its row
  is gone and it finds nothing. Rows past the codes in memory are measured exactly by each search. So a search
  by codes of any age is right; fresh ones only make it quicker.
- Each search's answer says which version and last id the database has (`notice`); the next search loads what
  is new. A version made anew, or an older copy of the database under the same name, drops what was held.
- A rollback rolls AUTOINCREMENT back as well, so an id seen inside a transaction can come again for another
  embedding. Hence blocks are loaded only outside transactions, where all that is visible is committed.
- While a version is loaded another one may replace it and its blocks go. So its state is read before and
  after, and what was loaded counts only if the version is the same, and the number of rows is.
- Readers work on immutable snapshots; one thread at a time replaces them.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.errors import CorruptIndex
from vectors.index import sql
from vectors.index.blocks import read_blocks
from vectors.index.codes import Codes, Ids, words_of
from vectors.index.lists import Lists
from vectors.index.state import Seen, State, read_state
from vectors.planner import Memory
from vectors.rows import execute
from vectors.sql import Tables

_log = logging.getLogger(__name__)
_MAX_COLLECTIONS: Final = 64
# One in so many codes of deleted rows is not worth dropping: the search only has to count candidates.
_FEW: Final = 1_000
# Share of codes from which on those of deleted rows are dropped.
WORN: Final = 0.1
# Rows that a search rather measures exactly than load their codes, which takes three statements.
_FEW_NEW: Final = 32
# Ids an answer: some 2 MB of the 10 MB that a server sends.
_IDS: Final = 50_000
# Loads that met another version each: somebody builds all the time.
_TRIES: Final = 3

_NOT_USED: Final = "The %s of collection %s: not used, as %s. Run verify_vectors."

Key = tuple[str, str, int, str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An index as it was: `state`, and the `codes` of the rows with after < id ≤ last_id.

    All these rows are there as long as the database counts `deleted` deletions.
    """

    state: State
    codes: Codes
    after: int
    last_id: int
    deleted: int = 0


class Flat:
    """The codes past the id `after` in this process, in arrays that grow in place."""

    def __init__(self, tables: Tables, state: State, after: int) -> None:
        self._tables = tables
        self._buffer = _Buffer(tables.dimensions)
        self._loaded = 0
        self.snapshot = Snapshot(state, self._buffer.codes, after, after)

    @property
    def is_whole(self) -> bool:
        """Were as many codes loaded as the state says there are (as far as it is about the same last id)?"""
        state = self.snapshot.state
        return self.snapshot.last_id != state.last_id or self._loaded == state.rows

    def absorb(self, alias: str) -> bool:
        """Load the blocks that are new; False, and nothing changed, where the version is gone meanwhile."""
        old = self.snapshot
        new = list(read_blocks(self._tables, alias, old.state.version, old.last_id))
        state = read_state(self._tables, alias)
        if state.version != old.state.version:
            return False
        codes = self._buffer.extended(new)
        self._loaded += sum(map(len, new))
        last_id = int(new[-1].ids[-1]) if new else old.last_id
        self.snapshot = Snapshot(state, codes, old.after, last_id, old.deleted)
        return True

    def compact(self, alias: str) -> None:
        """Forget the codes of rows that are gone, unless they may only be missing in a copy that lags."""
        old = self.snapshot
        found = self._live_ids(alias)
        if found is None:
            return
        ids, deleted = found
        self._buffer = _Buffer(self._tables.dimensions)
        codes = self._buffer.extended([old.codes[np.isin(old.codes.ids, ids, assume_unique=True)]])
        self.snapshot = Snapshot(old.state, codes, old.after, old.last_id, deleted)

    def _live_ids(self, alias: str) -> tuple[Ids, int] | None:
        """The ids of the items up to the last code, and how many were deleted by then.

        By as many statements as a server's answers hold, of which copies may answer that lag by different
        times: None where one is of another version or lacks the newest rows; the fewest deletions count.
        """
        old, after = self.snapshot, 0
        pages: list[Ids] = []
        deletions: list[int] = []
        while after < old.last_id:
            statement = sql.ids_after(self._tables, after, _IDS)
            (version, last_id, deleted), *rows = execute(alias, statement) or [(0, 0, 0)]
            if version != old.state.version or (last_id or 0) < old.last_id:
                return None
            pages.append(np.array([row[0] for row in rows], dtype=np.int64))
            deletions.append(deleted)
            after = int(pages[-1][-1]) if rows else old.last_id
        return (np.concatenate(pages), min(deletions)) if pages else None


class _Buffer:
    """Codes in arrays with room for more. What was handed out never changes: rows are added behind it."""

    def __init__(self, dimensions: int) -> None:
        self._room = _allocate(0, dimensions)
        self._dimensions = dimensions
        self.codes = self._view(0)

    def extended(self, parts: Iterable[Codes]) -> Codes:
        parts = list(parts)
        start = len(self.codes)
        size = start + sum(map(len, parts))
        if size > len(self._room):
            grown = _allocate(size + size // 4, self._dimensions)
            _copy(self.codes, grown, 0)
            self._room = grown
        for part in parts:
            _copy(part, self._room, start)
            start += len(part)
        self.codes = self._view(size)
        return self.codes

    def _view(self, size: int) -> Codes:
        room = self._room
        return Codes(room.ids[:size], room.words[:, :size], room.squares[:size], room.scales[:size])


def _allocate(rows: int, dimensions: int) -> Codes:
    return Codes(
        np.empty(rows, np.int64),
        np.empty((words_of(dimensions), rows), np.uint64),
        np.empty(rows, np.float32),
        np.empty(rows, np.float32),
    )


def _copy(source: Codes, target: Codes, start: int) -> None:
    end = start + len(source)
    target.ids[start:end] = source.ids
    target.words[:, start:end] = source.words
    target.squares[start:end] = source.squares
    target.scales[start:end] = source.scales


class IndexCache:
    """What this process holds of one collection's index."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._lock = threading.Lock()
        self._state: State | None = None
        self._flats: dict[int, Flat] = {}
        self._lists: Lists | None = None
        # Versions of which something is missing, for which no search has to look again.
        self._broken: int | None = None
        self._without_lists: int | None = None
        self._tried: Mapping[str, Any] = {}
        self.memory = Memory()

    def state(self, connection: BaseDatabaseWrapper) -> State | None:
        """The index as it was last met, read where it was not; None inside a transaction then."""
        state = self._state
        if state is None and not _in_transaction(connection):
            state = self._state = read_state(self.tables, connection.alias)
        if self._tried and state is not None:
            return replace(state, settings={**state.settings, **self._tried})
        return state

    def flat(self, connection: BaseDatabaseWrapper, after: int = 0) -> Snapshot | None:
        """The codes of all rows past `after`, loaded or topped up where needed.

        None where there are none, or where they would have to be loaded inside a transaction. While another
        thread is loading, a caller goes on with what there is (rows past it are measured exactly).
        """
        state, flat = self._state, self._flats.get(after)
        if flat is not None and state is not None and flat.snapshot.last_id + _FEW_NEW >= state.last_id:
            # Not for the few past inverted lists, whose codes of deleted rows stay until the next build.
            if after == 0 and (state.deleted - flat.snapshot.deleted) * _FEW > state.rows:
                self.compact(connection)
            return flat.snapshot
        if _in_transaction(connection) or not self._lock.acquire(blocking=flat is None):
            return flat.snapshot if flat is not None else None
        try:
            return self._loaded(connection.alias, after)
        finally:
            self._lock.release()

    def lists(self, connection: BaseDatabaseWrapper) -> Lists | None:
        """The inverted lists of the index, None where there are none, or as in `flat`."""
        state, lists = self.state(connection), self._lists
        if state is None or not state.lists:
            return None
        if lists is not None and lists.version == state.version:
            return lists
        if _in_transaction(connection) or state.version == self._without_lists:
            return None
        with self._lock:
            if self._lists is not None and self._lists.version == state.version:
                return self._lists  # by whoever held the lock
            self._lists = Lists.load(self.tables, connection.alias, state)
            if self._lists is None and read_state(self.tables, connection.alias).version == state.version:
                self._without_lists = state.version
                _log.error(_NOT_USED, "lists", self.tables.pk, "centroids are missing")
            return self._lists

    def notice(self, connection: BaseDatabaseWrapper, seen: Seen) -> None:
        """Take what the answer of a search said of the index in the database; loads nothing.

        What is seen inside a transaction may be rolled back, so it counts for nothing.
        """
        state = self._state
        if (
            state is None
            or _in_transaction(connection)
            or seen == (state.version, state.last_id, state.deleted, state.is_diskann)
        ):
            return
        if seen.version != state.version or seen.last_id < state.last_id or seen.deleted < state.deleted:
            self.drop()
        else:
            self._state = replace(
                state, last_id=seen.last_id, deleted=seen.deleted, is_diskann=seen.is_diskann
            )

    @contextmanager
    def trying(self, settings: Mapping[str, Any]) -> Iterator[None]:
        """Go by these settings instead of the same ones of the index, in this process alone."""
        self._tried = settings
        try:
            yield
        finally:
            self._tried = {}

    def drop(self) -> None:
        """Forget everything: the next search loads it anew."""
        self._state = self._lists = None
        self._flats = {}

    def forget(self) -> None:
        """Drop everything, and what was learned of costs and filters."""
        self.drop()
        self.memory = Memory()

    def is_worn(self, rows: int) -> bool:
        """Are more than a tenth of all codes held of rows that are gone, if there are `rows` of them?"""
        flat = self._flats.get(0)
        return flat is not None and len(flat.snapshot.codes) * (1 - WORN) > rows

    def compact(self, connection: BaseDatabaseWrapper) -> None:
        """Forget the codes of rows that are gone; does nothing in a transaction or while another loads."""
        if _in_transaction(connection) or not self._lock.acquire(blocking=False):
            return
        try:
            if (flat := self._flats.get(0)) is not None:
                flat.compact(connection.alias)
                self.memory.forget_shares()
        finally:
            self._lock.release()

    def _loaded(self, alias: str, after: int) -> Snapshot | None:
        """Load or top up, with the lock held."""
        for _ in range(_TRIES):
            state = read_state(self.tables, alias)
            if self._state is None or state.version != self._state.version:
                self.drop()
            self._state = state
            if not state.version or state.version == self._broken:
                return None
            flat = self._flats.get(after) or Flat(self.tables, state, after)
            try:
                is_current = flat.absorb(alias)
            except CorruptIndex as error:
                self._give_up(state, str(error))
                return None
            if is_current:
                if flat.snapshot.last_id < state.last_id or (after == 0 and not flat.is_whole):
                    self._give_up(state, "codes are missing")
                    return None
                self._flats[after] = flat
                self._state = flat.snapshot.state
                return flat.snapshot
        return None

    def _give_up(self, state: State, why: str) -> None:
        """Codes that lack rows would lose them silently: rather none, until they are mended."""
        self.drop()
        self._state, self._broken = state, state.version
        _log.error(_NOT_USED, "index", self.tables.pk, why)


class CacheRegistry:
    """The caches of this process, least recently used ones dropped past 64 collections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._caches: OrderedDict[Key, IndexCache] = OrderedDict()

    def get(self, key: Key, tables: Callable[[], Tables]) -> IndexCache:
        """The cache of `key` = (alias, database, collection id, generation), made where missing."""
        with self._lock:
            cache = self._caches.get(key)
            if cache is None:
                self._forget_other_generations(key)
                cache = self._caches[key] = IndexCache(tables())
                while len(self._caches) > _MAX_COLLECTIONS:
                    self._caches.popitem(last=False)
            self._caches.move_to_end(key)
            return cache

    def clear(self) -> None:
        """Forget all codes, for instance after a database file was replaced under this process."""
        with self._lock:
            self._caches.clear()

    def _forget_other_generations(self, key: Key) -> None:
        for other in [other for other in self._caches if other[:3] == key[:3]]:
            del self._caches[other]


registry = CacheRegistry()


def _in_transaction(connection: BaseDatabaseWrapper) -> bool:
    return connection.in_atomic_block or not connection.get_autocommit()

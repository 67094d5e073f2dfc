"""1-bit codes of a collection, kept in each process and topped up from the database.

What makes this safe without any notice from writers:

- Ids are append-only (see `vectors.sql`): a cached id either stands for the same embedding or is gone. SQLite
  has one writer at a time and ids are given out under its lock, so once id x is visible, every committed id
  below x was visible too, and `id > last_id` finds exactly what is missing.
- A rollback rolls AUTOINCREMENT back as well, so an id seen inside a transaction can come again for another
  embedding. Hence rows are absorbed only outside transactions, where all that is visible is committed.
- A collection that is dropped, made anew or restored carries another `generation`, part of the cache's key.
- A copy that lags, or an older file in place, lacks the last rows. A search that meets one has their codes
  dropped, so that what comes under their ids later is new.
- Readers work on an immutable snapshot; one thread at a time replaces it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db.backends.base.base import BaseDatabaseWrapper

from vectors.codec import Codes, Matrix, affinity, centre, from_blobs, hamming, sign_codes
from vectors.rows import execute
from vectors.sql import Tables, id_list

# Bytes of embeddings a statement: sqld refuses results over 10 MB.
_CHUNK_BYTES = 4 * 2**20
# Rows the centre is computed from, spread evenly over the collection.
_SAMPLE = 4_096
# Growth since the centre was computed after which all codes are made anew.
_REBUILD_GROWTH = 4
_MAX_COLLECTIONS = 64
# Rows taken by Hamming distance for each one taken by affinity, and at least.
_SHORTLIST_FACTOR = 3
_MIN_SHORTLIST = 900

Key = tuple[str, str, int, str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The codes of the rows up to `last_id`.

    `ids` is int64 (n,), ascending; `words` uint64 (ceil(d / 64), n); `middle` float32 (d,).
    """

    ids: npt.NDArray[np.int64]
    words: Codes
    middle: Matrix
    last_id: int
    centred_on: int

    def __len__(self) -> int:
        return len(self.ids)

    def candidates(self, vector: Matrix, count: int) -> npt.NDArray[np.int64]:
        """The ids of the `count` rows whose codes speak most for being near to `vector`, in no order.

        The Hamming distance sorts out a shortlist, the finer but dearer `affinity` the candidates of it:
        recall@10 of 150 candidates out of 900 is 0.998 where the 200 of least Hamming distance had 0.992
        (30,000 MiniLM embeddings).
        """
        if count >= len(self):
            return self.ids
        shortlist = self._shortlist(vector, max(_MIN_SHORTLIST, _SHORTLIST_FACTOR * count))
        scores = affinity(self.words[:, shortlist], vector)
        best = np.argsort(-scores, kind="stable")[:count]
        return self.ids[shortlist[best]]

    def _shortlist(self, vector: Matrix, count: int) -> npt.NDArray[np.intp]:
        """Where the `count` codes of least Hamming distance are; of equal ones at the edge, the oldest."""
        if count >= len(self):
            return np.arange(len(self))
        distances = hamming(self.words, sign_codes(vector[np.newaxis], self.middle)[:, 0])
        # partition() of small integers is vectorised, argpartition() is not: 0.03 against 0.29 ms.
        edge = np.partition(distances, count)[count]
        nearer = np.flatnonzero(distances < edge)
        at_edge = np.flatnonzero(distances == edge)[: count - len(nearer)]
        return np.concatenate((nearer, at_edge))


class CodeCache:
    """The codes of one collection in this process."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None

    @property
    def snapshot(self) -> Snapshot | None:
        """The codes loaded so far; None before the first load."""
        return self._snapshot

    def absorb(self, connection: BaseDatabaseWrapper) -> Snapshot | None:
        """Load the rows that came since the last load; does nothing inside a transaction.

        While another thread is loading, a caller that has a snapshot goes on with it (newer rows are scanned
        exactly), one that has none waits.
        """
        if _in_transaction(connection) or not self._lock.acquire(blocking=self._snapshot is None):
            return self._snapshot
        try:
            old = self._snapshot
            if old is None or len(old) > _REBUILD_GROWTH * old.centred_on:
                old = self._empty(connection)
            self._snapshot = self._extended(connection, old) if old is not None else None
            return self._snapshot
        finally:
            self._lock.release()

    def compact(self, connection: BaseDatabaseWrapper) -> None:
        """Forget the codes of rows that are gone; does nothing in a transaction or while another loads."""
        if _in_transaction(connection) or not self._lock.acquire(blocking=False):
            return
        try:
            if (old := self._snapshot) is not None:
                alive = np.isin(old.ids, self._live_ids(connection), assume_unique=True)
                ids = old.ids[alive]
                # Not the old last id: a copy that lags may have all the rest later, which are new then.
                self._snapshot = Snapshot(
                    ids,
                    np.ascontiguousarray(old.words[:, alive]),
                    old.middle,
                    int(ids[-1]) if len(ids) else 0,
                    old.centred_on,
                )
        finally:
            self._lock.release()

    def _live_ids(self, connection: BaseDatabaseWrapper) -> npt.NDArray[np.int64]:
        return np.array([row[0] for row in execute(connection.alias, self.tables.ids())], dtype=np.int64)

    def _empty(self, connection: BaseDatabaseWrapper) -> Snapshot | None:
        """A snapshot without rows, centred on a sample of the collection; None while that has no rows."""
        live = np.sort(self._live_ids(connection))
        if not len(live):
            return None
        sample = live[np.linspace(0, len(live) - 1, min(_SAMPLE, len(live)), dtype=np.int64)]
        step = self._chunk_rows
        sums = np.zeros(self.tables.dimensions)
        seen = 0
        for start in range(0, len(sample), step):
            rows = execute(connection.alias, self.tables.embeddings(id_list(sample[start : start + step])))
            if rows:
                sums += centre(from_blobs((row[0] for row in rows), self.tables.dimensions)) * len(rows)
                seen += len(rows)
        middle = (sums / max(seen, 1)).astype(np.float32)
        words = -(-self.tables.dimensions // 64)
        return Snapshot(
            np.empty(0, np.int64), np.empty((words, 0), np.uint64), middle, 0, centred_on=max(len(live), 1)
        )

    def _extended(self, connection: BaseDatabaseWrapper, old: Snapshot) -> Snapshot:
        ids, words, last_id = [old.ids], [old.words], old.last_id
        while rows := execute(connection.alias, self.tables.vectors_after(last_id, self._chunk_rows)):
            chunk = rows
            ids.append(np.array([row[0] for row in chunk], dtype=np.int64))
            matrix = from_blobs((row[1] for row in chunk), self.tables.dimensions)
            words.append(sign_codes(matrix, old.middle))
            last_id = chunk[-1][0]
            if len(chunk) < self._chunk_rows:
                break
        if len(ids) == 1:
            return old
        return Snapshot(
            np.concatenate(ids), np.concatenate(words, axis=1), old.middle, last_id, old.centred_on
        )

    @property
    def _chunk_rows(self) -> int:
        return max(1, _CHUNK_BYTES // (4 * self.tables.dimensions))


def _in_transaction(connection: BaseDatabaseWrapper) -> bool:
    return connection.in_atomic_block or not connection.get_autocommit()


class CacheRegistry:
    """The caches of this process, least recently used ones dropped past 64 collections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._caches: OrderedDict[Key, CodeCache] = OrderedDict()

    def get(self, key: Key, tables: Tables) -> CodeCache:
        """The cache of `key` = (alias, database, collection id, generation), made where missing."""
        with self._lock:
            cache = self._caches.get(key)
            if cache is None:
                self._forget_other_generations(key)
                cache = self._caches[key] = CodeCache(tables)
                while len(self._caches) > _MAX_COLLECTIONS:
                    self._caches.popitem(last=False)
            self._caches.move_to_end(key)
            return cache

    def peek(self, key: Key) -> CodeCache | None:
        """The cache of `key` if there is one."""
        with self._lock:
            return self._caches.get(key)

    def clear(self) -> None:
        """Forget all codes, for instance after a database file was replaced under this process."""
        with self._lock:
            self._caches.clear()

    def _forget_other_generations(self, key: Key) -> None:
        for other in [other for other in self._caches if other[:3] == key[:3]]:
            del self._caches[other]


registry = CacheRegistry()

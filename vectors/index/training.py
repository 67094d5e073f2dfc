"""Building an index anew, beside the one in use, and the switch to it in one transaction.

1. A claim: the index's row names the version that is being built, so that a second build waits its turn.
2. Centroids are computed from a sample, then every row up to the last id is read once: its code goes into
   blocks and, with lists, into two of these. Writes are in batches, each a short transaction of its own,
   under the new version, which nobody reads.
3. The switch: codes of rows that came meanwhile are appended, and the index's row names the new version.
4. What belongs to no version in use is deleted, in batches.

A failure or a crash before the switch leaves the old index as it was, and maybe rows under a version that
nobody reads, which the next build (or `verify_vectors`) deletes; one after the switch leaves the new index.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from vectors.codec import Matrix, from_blobs, to_blob, unit
from vectors.errors import IndexBusy, shown
from vectors.index import blocks, sql
from vectors.index.codes import Codes, Ids, bytes_a_row, encode
from vectors.index.kmeans import Numbers, centroids_of, two_lists
from vectors.index.lists import biases
from vectors.index.state import State, new_version, read_state, while_it_exists
from vectors.index.truth import Truth
from vectors.models import Collection, Index, StrategyName
from vectors.rows import execute, writing_alias
from vectors.sql import Tables, id_list

# Lists for n rows: 4 · √n, of which each then holds √n / 2 rows twice over.
_LISTS_PER_ROOT: Final = 4
# Rows of the sample for each list: 40 found no more of the true neighbours, and took three times as long.
_SAMPLE_PER_LIST: Final = 16
# Rows a list has at least on average.
_MIN_LIST: Final = 32
# A build that gave no sign for so long is dead.
_LEASE: Final = timedelta(minutes=2)
_PART_BYTES: Final = 128 * 1024
_BATCH_BYTES: Final = 8 * 2**20
_CENTROID_BYTES: Final = 1024 * 1024
_DELETED_AT_ONCE: Final = 256
_LISTS_AT_ONCE: Final = 128
_PLACES_AT_ONCE: Final = 100_000
# Rows from which searches by lists are quicker than by all codes.
LISTS_PAY: Final = 100_000
# How much larger than its lists a collection gets before these are made anew, and one in how many codes may
# be of a deleted row.
_GROWN: Final = 1.5
_GONE: Final = 5
# Rows whose true neighbours say how many lists to probe, how many neighbours, and which share to reach.
_QUERIES: Final = 200
_NEIGHBOURS: Final = 10
_COVERED: Final = 0.99
_MIN_PROBES: Final = 4
_CATCH_UP_ROWS: Final = 4_096
# Chunks of rows read between two signs of life.
_SIGN_EVERY: Final = 16

Progress = Callable[[int, int], None]


def rebuild(
    collection: Collection,
    *,
    strategy: str = "auto",
    lists: int | None = None,
    using: str | None = None,
    progress: Progress = lambda done, total: None,
) -> State:
    """Build the index that a strategy needs anew and switch to it; returns its state.

    "quantised" has codes, "ivf" inverted lists as well, "auto" those if they pay at that number of rows or
    some are there; all of these drop the built-in index, which "diskann" builds. `lists` sets how many there
    are. Searches and writers go on meanwhile. `progress` hears of rows done, out of how many. Must not run in
    a transaction. Raises IndexBusy where another build goes on, or took over, and CollectionNotFound where
    the collection is deleted meanwhile. Whatever fails (a full disk, say), the old index stays.
    """
    alias = writing_alias(collection, using)
    with while_it_exists(collection, alias):
        if strategy == StrategyName.DISKANN:
            return build_diskann(collection, alias)
        if lists is None and strategy in (StrategyName.QUANTISED, StrategyName.EXACT):
            lists = 0
        # Lists of fewer rows do not pay, unless they are asked for, or were.
        has_lists = read_state(Tables.of(collection), alias).lists > 0
        least = 0 if strategy == StrategyName.IVF or has_lists else LISTS_PAY
        build = _Build(collection, alias, progress)
        build.claim()
        try:
            build.write(lists, least=least)
            state = build.switch()
        except BaseException:
            build.abandon()
            raise
        delete_leftovers(collection, alias)
        return state


def build_diskann(collection: Collection, alias: str) -> State:
    """Create libSQL's own vector index, anew where it is there. Writers wait: some 600 rows a second.

    Never VACUUM a database that has one: that damages it. Raises IndexBusy where another build goes on.
    """
    tables = Tables.of(collection)
    with transaction.atomic(using=alias):
        index, _ = Index.objects.using(alias).get_or_create(pk=collection.pk)
        _refuse_second_build(index, collection)
        execute(alias, (tables.drop_diskann(), []))
        execute(alias, (tables.create_diskann(), []))
        Index.objects.using(alias).filter(pk=collection.pk).update(is_diskann=True)
    return read_state(tables, alias)


def delete_leftovers(collection: Collection, alias: str) -> int:
    """Delete what belongs to no version in use, a batch a transaction; returns how many rows it was."""
    tables, deleted = Tables.of(collection), 0
    while True:
        batch = 0
        with transaction.atomic(using=alias):
            index = Index.objects.using(alias).filter(pk=collection.pk).first()
            keep = [index.version, index.building] if index else []
            for statement in sql.delete_other_versions(tables, keep, _DELETED_AT_ONCE):
                batch += len(execute(alias, statement))
        deleted += batch
        if not batch:
            return deleted


def _refuse_second_build(index: Index, collection: Collection) -> None:
    """Raise IndexBusy where a build goes on that gave a sign of life within the lease, in the transaction."""
    # A sign from the future is of a clock that was set back since, or of another machine's.
    if index.building and index.building_at and abs(timezone.now() - index.building_at) < _LEASE:
        raise IndexBusy(
            "collection",
            "one whose index nobody builds",
            shown(collection.name),
            "Wait until that build is done; one that died is out of the way after two minutes.",
        )


class _Build:
    """One build of one version."""

    def __init__(self, collection: Collection, alias: str, progress: Progress) -> None:
        self._collection, self._alias, self._progress = collection, alias, progress
        self._tables = Tables.of(collection)
        self._version = new_version()
        self._last_id = self._deleted_before = 0
        self._state = State()

    def claim(self) -> None:
        """Take the right to build: nobody else has it, or gave no sign for two minutes."""
        with transaction.atomic(using=self._alias):
            index, _ = self._indexes.get_or_create(pk=self._collection.pk)
            _refuse_second_build(index, self._collection)
            for statement in self._tables.create_index_tables():
                execute(self._alias, (statement, []))
            self._deleted_before = index.deleted
            self._indexes.filter(pk=self._collection.pk).update(
                building=self._version, building_at=timezone.now()
            )

    def abandon(self) -> None:
        """Give the right back, if it is still held, and delete what was written.

        Where a full disk, a lost server or a deleted collection prevents that, the next build does it: what
        has failed is to be seen, not this.
        """
        with suppress(DatabaseError):
            self._indexes.filter(pk=self._collection.pk, building=self._version).update(
                building=0, building_at=None
            )
            delete_leftovers(self._collection, self._alias)

    def write(self, lists: int | None, *, least: int = 0) -> None:
        """Codes, centroids and lists of all rows there are, under the new version.

        `lists` None means as many as suit, and none where there are fewer rows than `least`.
        """
        self._last_id = execute(self._alias, sql.last_id(self._tables))[0][0] or 0
        rows = execute(self._alias, sql.rows_up_to(self._tables, self._last_id))[0][0]
        count = min(lists, rows) if lists is not None else lists_for(rows) if rows >= least else 0
        ids, sample = self._sample(rows, count)
        if not len(sample):
            return
        is_by_angle = self._tables.metric == "cosine"
        middle = blocks.middle_of(sample, self._tables.metric)
        picked = np.linspace(0, len(ids) - 1, min(_QUERIES, len(ids)), dtype=np.intp)
        truth = Truth(sample[picked], _NEIGHBOURS, self._tables.metric, own=ids[picked])
        directions = unit(sample) if is_by_angle else sample
        centroids = centroids_of(directions, count, on_round=self._sign_of_life) if count else sample[:0]
        if is_by_angle:
            centroids = unit(centroids)
        queries = directions[picked]
        del sample, directions
        codes, numbers = self._codes(middle, centroids, rows, truth)
        if not len(codes):
            return  # all rows were deleted since they were sampled
        # The newest may be gone since, and an index ends with the last of its codes.
        last_id = int(codes.ids[-1])
        settings = {}
        if len(centroids):
            self._write_lists(codes, numbers, len(centroids))
            self._write_centroids(centroids)
            found = np.searchsorted(codes.ids, truth.ids)
            settings["ivf"] = {"probes": probes_for(queries, centroids, numbers[found], truth.ids >= 0)}
        self._state = State(
            settings=settings,
            version=self._version,
            last_id=last_id,
            rows=len(codes),
            middle=middle,
            lists=len(centroids),
            lists_last_id=last_id if len(centroids) else 0,
            lists_rows=len(codes) if len(centroids) else 0,
        )

    def switch(self) -> State:
        """Catch up with the rows that came meanwhile, and put the new version in place of the old."""
        state = self._state
        if state.version:
            state = self._catch_up(state)
        with transaction.atomic(using=self._alias):
            collection = Collection.objects.using(self._alias).filter(pk=self._collection.pk).first()
            index = self._indexes.filter(pk=self._collection.pk, building=self._version).first()
            if collection is None or index is None or collection.generation != self._collection.generation:
                raise IndexBusy("collection", "one that stays as it is during a build", "a change of it")
            if state.version:
                state = self._extended(state)
            if index.is_diskann:
                execute(self._alias, (self._tables.drop_diskann(), []))
            self._indexes.filter(pk=self._collection.pk).update(
                version=state.version,
                last_id=state.last_id,
                rows=state.rows,
                middle=to_blob(state.middle),
                lists=state.lists,
                lists_last_id=state.lists_last_id,
                lists_rows=state.lists_rows,
                # A writer that made the first blocks meanwhile has counted anew.
                deleted=max(0, index.deleted - self._deleted_before),
                is_diskann=False,
                settings={name: one for name, one in index.settings.items() if name != "ivf"}
                | dict(state.settings),
                building=0,
                building_at=None,
                built_at=timezone.now(),
            )
        return state

    @property
    def _indexes(self) -> QuerySet[Index]:
        return Index.objects.using(self._alias)

    def _sign_of_life(self) -> None:
        """Say that the build goes on; raises IndexBusy where another one has taken it for dead."""
        mine = self._indexes.filter(pk=self._collection.pk, building=self._version)
        if not mine.update(building_at=timezone.now()):
            raise IndexBusy("collection", "one whose index nobody else builds", shown(self._collection.name))

    def _sample(self, rows: int, lists: int) -> tuple[Ids, Matrix]:
        """Embeddings spread evenly over the rows: int64 (n,) and float32 (n, d)."""
        wanted = max(_SAMPLE_PER_LIST * lists, blocks.MIN_ROWS)
        ids = self._ids_at(np.linspace(1, rows, min(wanted, rows), dtype=np.int64))
        step = blocks.vectors_at_once(self._tables.dimensions)
        found = [np.empty(0, np.int64)]
        parts = [np.empty((0, self._tables.dimensions), np.float32)]
        for start in range(0, len(ids), step):
            some = execute(self._alias, sql.vectors_of(self._tables, id_list(ids[start : start + step])))
            matrix = from_blobs((row[1] for row in some), self._tables.dimensions)
            is_sound = np.isfinite(matrix).all(axis=1)
            found.append(np.array([row[0] for row in some], dtype=np.int64)[is_sound])
            parts.append(matrix[is_sound])
        self._sign_of_life()
        return np.concatenate(found), np.concatenate(parts)

    def _ids_at(self, places: Ids) -> Ids:
        """The ids at these places in their order, as many a statement as a server takes and answers."""
        ids: list[int] = []
        for start in range(0, len(places), _PLACES_AT_ONCE):
            some = sql.ids_at(self._tables, id_list(places[start : start + _PLACES_AT_ONCE]))
            ids += (row[0] for row in execute(self._alias, some))
        return np.array(ids, dtype=np.int64)

    def _codes(self, middle: Matrix, centroids: Matrix, rows: int, truth: Truth) -> tuple[Codes, Numbers]:
        """Write the blocks of all rows, and show these to `truth`; returns their codes and their lists."""
        parts, done = [Codes.empty(self._tables.dimensions)], 0
        numbers = [np.empty((0, min(2, len(centroids))), np.int32)]
        for ids, matrix in blocks.read_vectors(self._tables, self._alias, 0, self._last_id):
            part = encode(ids, matrix, middle, self._tables.metric)
            parts.append(part)
            if len(centroids):
                truth.add(ids, matrix)
                directions = unit(matrix) if self._tables.metric == "cosine" else matrix
                numbers.append(two_lists(directions, centroids))
            done += len(part)
            self._progress(done, rows)
            if len(parts) % _SIGN_EVERY == 0:
                self._sign_of_life()
        codes = Codes.joined(parts)
        step = max(1, _BATCH_BYTES // bytes_a_row(self._tables.dimensions))
        for start in range(0, len(codes), step):
            with transaction.atomic(using=self._alias):
                blocks.write_blocks(self._tables, self._alias, self._version, codes[start : start + step])
        self._sign_of_life()
        return codes, np.concatenate(numbers)

    def _write_lists(self, codes: Codes, numbers: Numbers, count: int) -> None:
        columns = numbers.shape[1]
        order = np.argsort(numbers.ravel(), kind="stable")
        sizes = np.bincount(numbers.ravel(), minlength=count)
        ends = np.cumsum(sizes)
        capacity = max(1, _PART_BYTES // bytes_a_row(self._tables.dimensions))
        written = list(range(0, count, _LISTS_AT_ONCE))
        for first in written:
            with transaction.atomic(using=self._alias):
                for number in range(first, min(first + _LISTS_AT_ONCE, count)):
                    members = np.sort(order[ends[number] - sizes[number] : ends[number]] // columns)
                    # An empty list has a part, too: one that is missing says that its version is gone.
                    for part, start in enumerate(range(0, max(1, len(members)), capacity)):
                        blob = codes[members[start : start + capacity]].to_blob()
                        execute(self._alias, sql.insert_list(self._tables, self._version, number, part, blob))
            self._sign_of_life()

    def _write_centroids(self, centroids: Matrix) -> None:
        step = max(1, _CENTROID_BYTES // (4 * self._tables.dimensions))
        for first in range(0, len(centroids), step):
            blob = to_blob(centroids[first : first + step])
            execute(self._alias, sql.insert_centroids(self._tables, self._version, first, blob))

    def _catch_up(self, state: State) -> State:
        """Append the rows that came meanwhile, until few are left for the transaction of the switch."""
        while True:
            before = state.last_id
            with transaction.atomic(using=self._alias):
                state = self._extended(state, limit=_CATCH_UP_ROWS)
            if state.last_id == before:
                return state

    def _extended(self, state: State, limit: int | None = None) -> State:
        parts = list(
            blocks.read_codes(self._tables, self._alias, state.middle, state.last_id, blocks.NO_END, limit)
        )
        if not parts:
            return state
        codes = Codes.joined(parts)
        blocks.write_blocks(self._tables, self._alias, state.version, codes)
        return replace(state, last_id=int(codes.ids[-1]), rows=state.rows + len(codes))


def probes_for(queries: Matrix, centroids: Matrix, lists: Numbers, counts: npt.NDArray[np.bool_]) -> int:
    """How many lists to look into so that 0.99 of the true neighbours are in one of them.

    `queries` is float32 (m, d), `lists` int32 (m, k, 2) has the lists of their true neighbours, `counts`
    (m, k) says which of these there are. At least 4, as queries may be stranger than rows.
    """
    order = np.argsort(biases(centroids) - queries @ centroids.T, axis=1, kind="stable")
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(order.shape[1])[np.newaxis], axis=1)
    both = np.take_along_axis(places, lists.reshape(len(queries), -1), axis=1).reshape(lists.shape)
    needed = np.sort(both.min(axis=2)[counts])
    probes = 1 + int(needed[math.ceil(_COVERED * len(needed)) - 1]) if len(needed) else 0
    return min(len(centroids), max(_MIN_PROBES, probes))


def is_due(state: State, strategy: str) -> bool:
    """Would a collection with that strategy gain by a build?

    Where inverted lists are to be used and lack a third of the rows, or are worth their while for the first
    time; or where a fifth of the codes are of rows that are gone.
    """
    if not state.version:
        return False
    if state.deleted * _GONE > state.rows:
        return True
    least = {StrategyName.AUTO: LISTS_PAY, StrategyName.IVF: 4 * blocks.MIN_ROWS}.get(StrategyName(strategy))
    return least is not None and state.rows >= least and state.rows > _GROWN * state.lists_rows


def lists_for(rows: int) -> int:
    """How many lists suit so many rows: 4 · √n, or so many that each holds 32 rows on average."""
    return max(1, min(_LISTS_PER_ROOT * math.isqrt(rows), rows // _MIN_LIST)) if rows else 0

"""The codes of a collection in blocks, appended to by whoever writes items, in the same transaction.

Rows past the last block are the tail, which every search measures exactly. Ids only grow (see `vectors.sql`),
so a block is right for ever: a deleted row leaves a code behind that finds no row any more. A process that
holds codes needs only the blocks that came since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from django.utils import timezone

from vectors.codec import Matrix, from_blobs, to_blob, unit
from vectors.index import sql
from vectors.index.codes import Codes, Ids, bytes_a_row, encode
from vectors.index.state import State, new_version, read_state
from vectors.models import Index
from vectors.rows import execute
from vectors.sql import Tables

# Ids after which a writer makes a block of the tail. A search measures all of that: 100 rows in 0.1 ms.
STRIDE: Final = 16
# Rows from which there are codes at all; an exact search of fewer takes a millisecond.
MIN_ROWS: Final = 1_024
# Rows of the first of them that the middle is computed from: as good as that of all of 30,000 MiniLM rows.
_MIDDLE_ROWS: Final = 4_096
# Bytes a block is written with at most, and from which on it does not grow any more, as each growth writes it
# anew. Bytes of embeddings a statement: sqld refuses 10 MB.
_BLOCK_BYTES: Final = 128 * 1024
_GROWN_BYTES: Final = 32 * 1024
CHUNK_BYTES: Final = 4 * 2**20

# No id is greater.
NO_END: Final = 2**62
# What a row of an answer takes beside its embedding.
_ROW_BYTES: Final = 64
# Bytes of embeddings that a writer makes codes of at once where a collection has rows without any.
_BACKLOG_BYTES: Final = 16 * 2**20


def is_due(first_id: int, last_id: int) -> bool:
    """Do the new ids from `first_id` to `last_id` pass a multiple of STRIDE? No statement is spent on it."""
    return last_id // STRIDE > (first_id - 1) // STRIDE


def append(tables: Tables, alias: str, ids: Ids, matrix: Matrix) -> State:
    """Make blocks of the tail, in the transaction that has just inserted the rows `ids`, the newest of it.

    `ids` is int64 (n,), ascending, `matrix` float32 (n, d) their embeddings, which need not be read again.
    Where the tail is long, as of a collection from before there were codes, each call makes a part of it.
    Returns what the index is at then.
    """
    state = read_state(tables, alias)
    if not state.version:
        if execute(alias, tables.count())[0][0] < MIN_ROWS:
            return state
        state = _begin(tables, alias)
    limit = max(1, _BACKLOG_BYTES // (4 * tables.dimensions))
    older = list(read_codes(tables, alias, state.middle, state.last_id, int(ids[0]) - 1, limit))
    if sum(map(len, older)) < limit:
        older.append(encode(ids, matrix, state.middle, tables.metric))
    return extend(tables, alias, state, Codes.joined(older))


def extend(tables: Tables, alias: str, state: State, codes: Codes) -> State:
    """Append codes of all rows from `state.last_id` to the last of them, in a transaction of the caller's."""
    new = len(codes)
    for last_id, blob in execute(alias, sql.last_block(tables, state.version)):
        last = Codes.from_blob(blob, tables.dimensions)
        if len(blob) < _GROWN_BYTES:
            execute(alias, sql.delete_block(tables, state.version, last_id))
            codes = Codes.joined([last, codes])
    write_blocks(tables, alias, state.version, codes)
    grown = replace(state, last_id=int(codes.ids[-1]), rows=state.rows + new)
    Index.objects.using(alias).filter(collection_id=tables.pk, version=state.version).update(
        last_id=grown.last_id, rows=grown.rows
    )
    return grown


def write_blocks(tables: Tables, alias: str, version: int, codes: Codes) -> None:
    """Write codes, ascending by id, as blocks of a version, without touching its state."""
    capacity = max(1, _BLOCK_BYTES // bytes_a_row(tables.dimensions))
    for start in range(0, len(codes), capacity):
        block = codes[start : start + capacity]
        execute(alias, sql.insert_block(tables, version, int(block.ids[-1]), block.to_blob()))


def read_blocks(tables: Tables, alias: str, version: int, after: int) -> Iterator[Codes]:
    """The codes of all ids past `after`, block by block."""
    limit = CHUNK_BYTES // (_BLOCK_BYTES + bytes_a_row(tables.dimensions))
    ended = after
    while rows := execute(alias, sql.blocks_after(tables, version, ended, limit)):
        for ended, blob in rows:  # noqa: B007 - used by the next statement
            block = Codes.from_blob(blob, tables.dimensions)
            # A block that grew holds rows which the caller has already.
            known = int(np.searchsorted(block.ids, after, side="right"))
            yield block[known:] if known else block
        if len(rows) < limit:
            return


def read_vectors(
    tables: Tables, alias: str, after: int, up_to: int, limit: int | None = None
) -> Iterator[tuple[Ids, Matrix]]:
    """The embeddings with after < id ≤ up_to, by id, at most `limit`: ids (n,) and float32 (n, d) a time."""
    step, left = vectors_at_once(tables.dimensions), limit
    while left is None or left > 0:
        count = step if left is None else min(step, left)
        rows = execute(alias, sql.vectors_between(tables, after, up_to, count))
        if rows:
            after = rows[-1][0]
            matrix = from_blobs((row[1] for row in rows), tables.dimensions)
            yield np.array([row[0] for row in rows], dtype=np.int64), _without_infinities(matrix)
        if len(rows) < count:
            return
        left = None if left is None else left - len(rows)


def vectors_at_once(dimensions: int) -> int:
    """How many embeddings one answer may have."""
    return max(1, CHUNK_BYTES // (4 * dimensions + _ROW_BYTES))


def read_codes(
    tables: Tables, alias: str, middle: Matrix, after: int, up_to: int, limit: int | None = None
) -> Iterator[Codes]:
    """The rows of `read_vectors` as codes around `middle`."""
    for ids, matrix in read_vectors(tables, alias, after, up_to, limit):
        yield encode(ids, matrix, middle, tables.metric)


def middle_of(matrix: Matrix, metric: str) -> Matrix:
    """The mean of the finite ones of n embeddings, float32 (d,); under cosine that of their directions."""
    sound = matrix[np.isfinite(matrix).all(axis=1)]
    if not len(sound):
        return np.zeros(matrix.shape[1], np.float32)
    rows = unit(sound) if metric == "cosine" else sound
    mean: Matrix = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def _without_infinities(matrix: Matrix) -> Matrix:
    """Rows that hold infinity or NaN, which only other programs can have written, as NaN throughout.

    So they are near nothing, and no arithmetic warns of them.
    """
    is_sound = np.isfinite(matrix).all(axis=1, keepdims=True)
    return matrix if is_sound.all() else np.where(is_sound, matrix, np.float32(np.nan))


def _begin(tables: Tables, alias: str) -> State:
    """Start a version without blocks, around the middle of the first rows."""
    sample = np.concatenate([matrix for _, matrix in read_vectors(tables, alias, 0, NO_END, _MIDDLE_ROWS)])
    state = State(version=new_version(), middle=middle_of(sample, tables.metric))
    Index.objects.using(alias).update_or_create(
        collection_id=tables.pk,
        defaults={
            "version": state.version,
            "middle": to_blob(state.middle),
            "deleted": 0,
            "built_at": timezone.now(),
        },
    )
    return state

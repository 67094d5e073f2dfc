"""Fill the spare space with what it lacks.

What is left to do follows from the rows themselves: keys and content hashes of both spaces are compared in
SQL. So a process that dies leaves nothing to mend, and the next one goes on where it was. Embeddings are made
outside of transactions; each batch is then written in one, in which the items are looked at again: those
that changed meanwhile were written to both spaces by whoever changed them, or come later, by greater ids.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from django.db import transaction

from vectors.errors import InvalidVector
from vectors.index.state import read_state
from vectors.index.training import build_diskann, rebuild
from vectors.items import CheckedItem
from vectors.migrating import sql
from vectors.migrating.errors import InvalidMigration
from vectors.migrating.leases import leased, renew
from vectors.migrating.models import EmbeddingMigration
from vectors.models import StrategyName
from vectors.rows import as_json, execute, in_batches
from vectors.sql import Tables
from vectors.writing import Content, delete_spare, make_contents, write_spare

BATCH: Final = 100
MAX_BATCH: Final = 1_000
# Bytes of texts and metadata read, embedded and written together: one text may have four million.
_BATCH_BYTES: Final = 2 * 2**20
_DELETED_AT_ONCE: Final = 500
# Seconds between two signs of life while the rate is kept.
_SIGN_EVERY: Final = 10.0
# Comparisons of all rows at most: after the first one only what was written meanwhile is left.
_PASSES: Final = 5


@dataclass(slots=True)
class Filled:
    """What was done: items written, and those deleted that only the spare space had.

    `refused` says by key why a text cannot be embedded. `lacking` is how many items the spare space still
    lacks, these included.
    """

    written: int = 0
    deleted: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    lacking: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """Texts a batch, and texts a second at most; raises InvalidMigration.

    A batch is shorter where it would take longer than ten seconds at that rate.
    """

    batch: int = BATCH
    rate: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= MAX_BATCH:
            raise InvalidMigration("batch", f"a number from 1 to {MAX_BATCH:,}", str(self.batch))
        if self.rate is not None:
            if not 0 < self.rate < math.inf:
                raise InvalidMigration("rate", "texts a second, more than 0", str(self.rate))
            object.__setattr__(self, "batch", max(1, min(self.batch, int(self.rate * _SIGN_EVERY))))


class Filling:
    """One run. `rows` does the work, a key at a time for a progress bar; `done` says what came of it."""

    def __init__(
        self,
        migration: EmbeddingMigration,
        alias: str,
        pace: Pace | None = None,
        *,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._migration, self._alias, self._pace = migration, alias, pace or Pace()
        self._source, self._target = migration.live, migration.spare
        self._from, self._to = Tables.of(self._source), Tables.of(self._target)
        self._pause, self._clock = pause, clock
        self._started, self._embedded, self._lease = 0.0, 0, ""
        self.done = Filled()

    def __len__(self) -> int:
        """How many items are lacking now."""
        return int(execute(self._alias, sql.count_lacking(self._from, self._to))[0][0])

    def rows(self) -> Iterator[str]:
        """Fill, and yield the key of each item that was written.

        Raises MigrationBusy where another process fills, or the spaces change their roles; EmbedderError
        where the embedder fails. What was written stays.
        """
        with leased(self._migration, self._alias) as self._lease:
            self._started = self._clock()
            for _ in range(_PASSES):
                before = self.done.written
                yield from self._compare()
                self.done.lacking = len(self)
                if self.done.lacking <= len(self.done.refused) or self.done.written == before:
                    break
            if not self._migration.is_switched:
                self._delete_surplus()
            self._build_index()

    def _compare(self) -> Iterator[str]:
        after = 0
        while rows := execute(self._alias, sql.lacking(self._from, self._to, after, self._pace.batch)):
            sized = ((row, row[3]) for row in rows)
            (batch,) = islice(in_batches(sized, size=_BATCH_BYTES, count=self._pace.batch), 1)
            after = batch[-1][0]
            yield from self._fill([row[1] for row in batch], {row[1] for row in batch if row[4]})

    def _fill(self, keys: list[str], annotated: set[str]) -> list[str]:
        """Write the items of `keys`, of which the content of those in `annotated` is there already."""
        keys = [key for key in keys if key not in self.done.refused]
        wanted = as_json([key for key in keys if key not in annotated])
        items = [
            CheckedItem(key, text, title, metadata, None, content_hash)
            for key, content_hash, _, _, metadata, title, text in execute(
                self._alias, sql.items(self._from, wanted)
            )
        ]
        contents = self._contents(items)
        texts = {one.key: one for one in items if one.key in contents}
        with transaction.atomic(using=self._alias):
            renew(self._migration, self._lease, self._alias)
            current: list[CheckedItem] = []
            times: dict[str, tuple[str, str]] = {}
            for key, content_hash, created_at, updated_at, metadata in execute(
                self._alias, sql.heads(self._from, as_json(keys))
            ):
                item = texts.get(key)
                if item is not None and item.content_hash == content_hash:
                    current.append(replace(item, metadata=metadata))
                elif key in annotated:
                    current.append(CheckedItem(key, "", "", metadata, None, content_hash))
                times[key] = (created_at, updated_at)
            write_spare(self._target, current, contents, times, self._alias)
        self.done.written += len(current)
        self._keep_rate(len(items))
        return [one.key for one in current]

    def _contents(self, items: Sequence[CheckedItem]) -> Mapping[str, Content]:
        if not items:
            return {}
        try:
            return make_contents(self._target, items)
        except InvalidVector as error:
            # A text without any word that the model knows, say: the others must not suffer from it.
            if len(items) == 1:
                self.done.refused[items[0].key] = str(error)
                return {}
            return {key: content for one in items for key, content in self._contents([one]).items()}

    def _keep_rate(self, count: int) -> None:
        self._embedded += count
        rate = self._pace.rate
        if rate is None:
            return
        while (left := self._started + self._embedded / rate - self._clock()) > 0:
            self._pause(min(left, _SIGN_EVERY))
            renew(self._migration, self._lease, self._alias)

    def _delete_surplus(self) -> None:
        """Delete what only the spare space has: its rows in the live one went behind this library's back.

        After a switch that was forced, such rows may be those that the new space lacked: they stay.
        """
        while True:
            with transaction.atomic(using=self._alias):
                renew(self._migration, self._lease, self._alias)
                rows = execute(self._alias, sql.surplus(self._from, self._to, _DELETED_AT_ONCE))
                self.done.deleted += delete_spare(self._target, [row[0] for row in rows], self._alias)
            if not rows:
                return

    def _build_index(self) -> None:
        """Inverted lists and the built-in index where the live space has them; codes came with the rows."""
        there, here = read_state(self._from, self._alias), read_state(self._to, self._alias)
        if there.lists and not here.lists:
            rebuild(self._target, strategy=StrategyName.IVF, using=self._alias)
            here = read_state(self._to, self._alias)
        if there.is_diskann and not here.is_diskann:
            build_diskann(self._target, self._alias)

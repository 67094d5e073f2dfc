"""Is everything that a collection holds what it should be? And mending what is not.

Every embedding is read once and coded anew, every text hashed anew: nothing is believed that can be computed.
While the embedding model is being changed (see `vectors.migrating`), both spaces are checked and mended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.db import transaction

from vectors.codec import Matrix, as_vector, from_blobs
from vectors.errors import CorruptIndex, InvalidVector
from vectors.fulltext import index_text
from vectors.index import blocks, sql
from vectors.index.codes import Codes, encode
from vectors.index.lists import Lists
from vectors.index.state import State, read_state, while_it_exists
from vectors.index.training import delete_leftovers, rebuild
from vectors.items import Item, content_hash
from vectors.migrating import sql as migrating_sql
from vectors.migrating.errors import MigrationBusy
from vectors.migrating.filling import Filling
from vectors.migrating.models import EmbeddingMigration
from vectors.migrating.spaces import spaces_of
from vectors.models import Collection, Index, StrategyName
from vectors.reading import get_many, vectors_by_id
from vectors.rows import (
    PARAMETER_BYTES,
    as_json,
    execute,
    execute_on_keys,
    in_batches,
    size_of,
    writing_alias,
)
from vectors.search import search
from vectors.sql import Tables, id_list
from vectors.upkeep import sql as upkeep_sql
from vectors.upkeep.lists import read_lists
from vectors.writing import delete, delete_spare, prepare, write

_DELETED_AT_ONCE: Final = 500
_SHOWN: Final = 20
# Rounding differs between machines and versions of NumPy; codes may differ where a component is all but zero.
_TOLERANCE: Final = 1e-3
_FLIPPED: Final = 2
# Rows that are asked for by their own embeddings, and how near (cosine or l2) a row is to itself.
_ASKED: Final = 100
_NEAR: Final = 1e-4

_MISSING: Final = "missing"
_BAD: Final = "bad"
_CHANGED: Final = "changed"

# Of a collection without an embedder. What has the hash that is stored would pass for unchanged.
_BY_OWNER: Final = "import these items again, after a repair"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault: how many there are, some of them, and what mends it."""

    check: str
    problem: str
    count: int
    examples: tuple[str, ...]
    remedy: str

    def as_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "problem": self.problem,
            "count": self.count,
            "examples": list(self.examples),
            "remedy": self.remedy,
        }


@dataclass(slots=True)
class Report:
    """What was looked at and found; `repaired` says whether it was mended, and looked at again.

    `spare` is the same of the space that is not searched, where there is one.
    """

    rows: int = 0
    codes: int = 0
    listed: int = 0
    asked: int = 0
    found: int = 0
    findings: list[Finding] = field(default_factory=list)
    repaired: list[Finding] = field(default_factory=list)
    spare: Report | None = None

    @property
    def is_sound(self) -> bool:
        return not self.findings and (self.spare is None or self.spare.is_sound)

    def as_json(self) -> dict[str, Any]:
        return {
            "sound": self.is_sound,
            "rows": self.rows,
            "codes": self.codes,
            "listed": self.listed,
            "asked": self.asked,
            "found": self.found,
            "findings": [finding.as_json() for finding in self.findings],
            "repaired": [finding.as_json() for finding in self.repaired],
            "other_space": None if self.spare is None else self.spare.as_json(),
        }


def verify(
    collection: Collection,
    *,
    using: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Check items, embeddings, full text, codes and lists of a collection; changes nothing.

    `progress` hears of rows checked, out of how many. Writers may go on, yet what they write meanwhile can
    look like a fault: verify again. Raises CollectionNotFound where the collection is deleted meanwhile.
    """
    alias = writing_alias(collection, using)
    with while_it_exists(collection, alias):
        spaces = spaces_of(collection, alias)
        report = _Check(spaces.live, spaces.spare, alias, progress).run()
        if spaces.spare:
            report.spare = _Check(spaces.spare, spaces.live, alias, progress).run()
        return report


def repair(
    collection: Collection,
    report: Report,
    *,
    using: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Mend what `report` found, and verify again.

    Rows whose content does not fit are embedded anew; where the collection has no embedder, they stay and are
    reported again: only their owner has the embeddings, and may import them now. Those of a space that is not
    searched are made from the items of the other.
    """
    alias = writing_alias(collection, using)
    with while_it_exists(collection, alias):
        spaces = spaces_of(collection, alias)
        _mend(spaces.live, report, alias, _embed_anew, progress)
        if spaces.spare and report.spare:
            _mend(spaces.spare, report.spare, alias, _fill_anew, progress)
    again = verify(collection, using=using, progress=progress)
    _compare(report, again)
    if report.spare and again.spare:
        _compare(report.spare, again.spare)
    return again


def _mend(
    space: Collection,
    report: Report,
    alias: str,
    mend_contents: Callable[[Collection, str], None],
    progress: Progress,
) -> None:
    tables = Tables.of(space)
    found = {finding.check for finding in report.findings}
    if "vectors" in found or "text" in found:
        _mend_orphans(tables, alias)
    if "text" in found:
        _mend_texts(tables, alias)
    if found & {"embeddings", "hashes"}:
        (mend_contents if space.embedder else _forget_hashes)(space, alias)
    if found & {"codes", "lists", "search"}:
        _build_anew(space, alias, progress)
    if "leftovers" in found:
        delete_leftovers(space, alias)


def _build_anew(space: Collection, alias: str, progress: Progress) -> None:
    """Make once more what the index has: codes, as many lists, and the built-in index."""
    state = read_state(Tables.of(space), alias)
    rebuild(space, lists=state.lists, using=alias, progress=progress)
    if state.is_diskann:
        rebuild(space, strategy=StrategyName.DISKANN, using=alias)


def _compare(report: Report, again: Report) -> None:
    """Have the later report say what was mended."""
    still = {(finding.check, finding.problem) for finding in again.findings}
    again.repaired = [one for one in report.findings if (one.check, one.problem) not in still]


class _Check:
    """Looks at one space; `other` is the second one of the same items, if there is one."""

    def __init__(
        self,
        collection: Collection,
        other: Collection | None,
        alias: str,
        progress: Progress = lambda *_: None,
    ) -> None:
        self._collection, self._alias, self._progress = collection, alias, progress
        self._tables = Tables.of(collection)
        self._others = Tables.of(other) if other else None
        self._report = Report()

    def run(self) -> Report:
        state = read_state(self._tables, self._alias)
        self._orphans()
        flat = self._read_codes(state)
        alive = self._contents(state, flat)
        if state.version:
            self._coverage(state, flat, alive)
        if state.lists and flat is not None:
            self._lists(state, flat, alive)
        self._leftovers(state)
        self._self_recall(alive)
        return self._report

    def _add(
        self, check: str, problem: str, examples: list[Any], remedy: str, count: int | None = None
    ) -> None:
        number = len(examples) if count is None else count
        if number:
            shown = tuple(str(one) for one in examples[:_SHOWN])
            self._report.findings.append(Finding(check, problem, number, shown, remedy))

    def _orphans(self) -> None:
        ids = [row[0] for row in execute(self._alias, sql.vectors_without_item(self._tables))]
        self._add("vectors", "embeddings without an item", ids, "they are deleted")
        ids = [row[0] for row in execute(self._alias, sql.texts_without_item(self._tables))]
        self._add("text", "full text without an item", ids, "it is deleted")
        ids = [row[0] for row in execute(self._alias, upkeep_sql.ids_without_text(self._tables))]
        self._add("text", "items that full text does not know", ids, "their text is indexed")

    def _read_codes(self, state: State) -> Codes | None:
        """All codes of the blocks; None where there are none, or they cannot be read."""
        if not state.version:
            return None
        try:
            parts = list(blocks.read_blocks(self._tables, self._alias, state.version, 0))
        except CorruptIndex as error:
            self._add("codes", f"a block that cannot be read ({error})", ["?"], "the index is built anew")
            return None
        codes = Codes.joined(parts) if parts else Codes.empty(self._tables.dimensions)
        self._report.codes = len(codes)
        if np.any(np.diff(codes.ids) <= 0):
            places = np.flatnonzero(np.diff(codes.ids) <= 0)
            self._add("codes", "codes out of order", codes.ids[places].tolist(), "the index is built anew")
            return None
        return codes

    def _contents(self, state: State, flat: Codes | None) -> npt.NDArray[np.int64]:
        """Check every item with its embedding and its code; returns the ids that have an embedding."""
        total = execute(self._alias, self._tables.count())[0][0]
        alive: list[int] = []
        missing: list[str] = []
        bad: list[str] = []
        changed: list[str] = []
        wrong: list[int] = []
        for rows in self._items():
            ids, vectors = [], []
            faults = self._faults(rows)
            for number, key, *_ in rows:
                fault, vector = faults[key]
                if vector is None:
                    (missing if fault == _MISSING else bad).append(key)
                    continue
                if fault:
                    changed.append(key)
                ids.append(number)
                vectors.append(vector)
            if ids and flat is not None:
                fresh = encode(ids, np.stack(vectors), state.middle, self._tables.metric)
                wrong += _differing(fresh, flat)
            alive += ids
            self._report.rows += len(rows)
            self._progress(self._report.rows, total)
        anew = "they are embedded anew" if self._collection.embedder else _BY_OWNER
        self._add("embeddings", "items without an embedding", missing, anew)
        self._add("embeddings", "embeddings that are not finite, or zero", bad, anew)
        self._add("hashes", "items whose content is not what was written", changed, anew)
        self._add("codes", "codes that are not those of their rows", wrong, "the index is built anew")
        return np.array(alive, dtype=np.int64)

    def unfit(self) -> Iterator[list[str]]:
        """The keys of items whose content does not fit, in batches."""
        for rows in self._items():
            if keys := [key for key, (fault, _) in self._faults(rows).items() if fault]:
                yield keys

    def _faults(self, rows: list[Any]) -> dict[str, tuple[str, Matrix | None]]:
        """By key: what is wrong with the content, and the embedding; see `_fault`."""
        faults = {key: _fault(self._collection, *content) for _, key, *content in rows}
        changed = [key for key, (fault, _) in faults.items() if fault == _CHANGED]
        if self._others is not None and changed:
            # The hash may be that of an embedding which a caller has brought to the other space.
            contents = {key: content[:3] for _, key, *content in rows}
            others = execute_on_keys(self._alias, partial(migrating_sql.items, self._others), changed)
            for key, content_hash, _, _, _, title, text in others:
                if contents[key] == [title, text, content_hash]:
                    faults[key] = ("", faults[key][1])
        return faults

    def _items(self) -> Iterator[list[Any]]:
        last_id = 0
        while rows := execute(self._alias, upkeep_sql.contents_after(self._tables, last_id)):
            last_id = rows[-1][0]
            yield rows

    def _coverage(self, state: State, flat: Codes | None, alive: npt.NDArray[np.int64]) -> None:
        if flat is None:
            return
        covered = alive[alive <= state.last_id]
        lacking = covered[~np.isin(covered, flat.ids, assume_unique=True)]
        self._add("codes", "rows without a code", lacking.tolist(), "the index is built anew")
        if len(flat) != state.rows:
            counted = f"{len(flat):,} codes where the index says {state.rows:,}"
            self._add("codes", counted, ["count"], "the index is built anew")
        if len(flat) and int(flat.ids[-1]) != state.last_id:
            ends = f"codes up to id {flat.ids[-1]} where the index says {state.last_id}"
            self._add("codes", ends, ["last id"], "the index is built anew")

    def _lists(self, state: State, flat: Codes, alive: npt.NDArray[np.int64]) -> None:
        lists = Lists.load(self._tables, self._alias, state)
        if lists is None or not np.isfinite(lists.centroids).all():
            self._add("lists", "centroids that are missing or not finite", ["?"], "the index is built anew")
            return
        times = np.zeros(len(flat), np.int64)
        strange: list[int] = []
        gone: list[int] = []
        for some in read_lists(self._tables, self._alias, state.version, len(lists)):
            gone += [number for number, parts in some.items() if not parts]
            for codes in (Codes.joined(parts) for parts in some.values() if parts):
                at = np.searchsorted(flat.ids, codes.ids).clip(max=max(len(flat) - 1, 0))
                known = flat.ids[at] == codes.ids if len(flat) else np.zeros(len(codes), bool)
                same = (flat.words[:, at] == codes.words).all(axis=0) & known if len(flat) else known
                strange += codes.ids[~same].tolist()
                np.add.at(times, at[known], 1)
                self._report.listed += len(codes)
        self._add("lists", "lists that are missing", gone, "the index is built anew")
        self._add(
            "lists", "codes in lists that are not those of their rows", strange, "the index is built anew"
        )
        expected = min(2, len(lists))
        due = np.isin(flat.ids, alive, assume_unique=True) & (flat.ids <= state.lists_last_id)
        uneven = flat.ids[due & (times != expected)]
        self._add(
            "lists", f"rows that are not in {expected} lists", uneven.tolist(), "the index is built anew"
        )

    def _leftovers(self, state: State) -> None:
        index = Index.objects.using(self._alias).filter(pk=self._collection.pk).first()
        keep = [state.version, index.building if index else 0]
        count = execute(self._alias, sql.other_versions(self._tables, keep))[0][0]
        self._add(
            "leftovers",
            "rows of builds that were not finished",
            ["?"] * bool(count),
            "they are deleted",
            count,
        )

    def _self_recall(self, alive: npt.NDArray[np.int64]) -> None:
        """Rows, asked for by their own embeddings, are to come first, or others as near."""
        if not len(alive):
            return
        picked = alive[np.linspace(0, len(alive) - 1, min(_ASKED, len(alive)), dtype=np.intp)]
        ids, matrix = vectors_by_id(self._tables, self._alias, picked)
        lost = []
        for number, vector in zip(ids.tolist(), matrix, strict=True):
            hits = search(self._collection, vector=vector, k=1, mode="semantic", using=self._alias).hits
            if not hits or (hits[0].id != number and (hits[0].distance or 0.0) > _NEAR):
                lost.append(number)
        self._report.asked, self._report.found = len(ids), len(ids) - len(lost)
        self._add("search", "rows that do not find themselves", lost, "the index is built anew")


def _differing(fresh: Codes, flat: Codes) -> list[int]:
    """The ids whose code in `flat` is not that in `fresh`; those without one are not among them."""
    if not len(flat):
        return []
    at = np.searchsorted(flat.ids, fresh.ids).clip(max=len(flat) - 1)
    known = flat.ids[at] == fresh.ids
    flipped = np.bitwise_count(flat.words[:, at] ^ fresh.words).sum(axis=0)
    close = np.isclose(flat.squares[at], fresh.squares, rtol=_TOLERANCE, atol=_TOLERANCE)
    close &= np.isclose(flat.scales[at], fresh.scales, rtol=_TOLERANCE, atol=_TOLERANCE)
    wrong: list[int] = fresh.ids[known & ~(close & (flipped <= _FLIPPED))].tolist()
    return wrong


def _mend_orphans(tables: Tables, alias: str) -> None:
    with transaction.atomic(using=alias):
        for found in (sql.vectors_without_item(tables), sql.texts_without_item(tables)):
            ids = [row[0] for row in execute(alias, found)]
            for start in range(0, len(ids), _DELETED_AT_ONCE):
                for statement in tables.delete_ids(id_list(ids[start : start + _DELETED_AT_ONCE])):
                    execute(alias, statement)


def _mend_texts(tables: Tables, alias: str) -> None:
    while True:
        with transaction.atomic(using=alias):
            rows = execute(alias, upkeep_sql.items_without_text(tables))
            if not rows:
                return
            sized = ((row, size_of(*row[1:])) for row in rows)
            for some in in_batches(sized, size=PARAMETER_BYTES, count=len(rows)):
                texts = [[number, index_text(title), index_text(text)] for number, title, text in some]
                execute(alias, tables.insert_fts(as_json(texts)))


def _embed_anew(collection: Collection, alias: str) -> None:
    """Write the items whose content does not fit once more, under new ids, to the other space too."""
    for keys in _Check(collection, spaces_of(collection, alias).spare, alias).unfit():
        stored = get_many(collection, keys, using=alias).values()
        items = [Item(one.key, one.text, one.title, one.metadata) for one in stored]
        prepared = prepare(collection, items, using=alias, everything=True)
        with transaction.atomic(using=alias):
            delete(collection, keys, using=alias)
            write(collection, prepared, using=alias)


def _forget_hashes(collection: Collection, alias: str) -> None:
    """Have the next import of items whose content does not fit write them, even as they once were."""
    tables = Tables.of(collection)
    for keys in _Check(collection, None, alias).unfit():
        execute(alias, upkeep_sql.forget_hashes(tables, as_json(keys)))


def _fill_anew(spare: Collection, alias: str) -> None:
    """Take the items whose content does not fit from the space that is searched once more."""
    rows = EmbeddingMigration.objects.using(alias).select_related("live", "spare")
    migration = rows.filter(spare=spare).first()
    if migration is None:  # it has been dropped or switched meanwhile
        return
    for keys in _Check(spare, migration.live, alias).unfit():
        with transaction.atomic(using=alias):
            delete_spare(spare, keys, alias)
    with suppress(MigrationBusy):  # whoever fills it meanwhile finds these lacking
        for _ in Filling(migration, alias).rows():
            pass


def _fault(
    collection: Collection, title: str, text: str, hashed: str, blob: bytes | None
) -> tuple[str, Matrix | None]:
    """What is wrong with the content of an item ("" for nothing), and its embedding if it can be used."""
    if blob is None:
        return _MISSING, None
    try:
        matrix = from_blobs([blob], collection.dimensions)
        vector = as_vector(matrix[0], collection.dimensions, collection.metric)
    except InvalidVector:
        return _BAD, None
    # The caller's own embedding is part of the content, one that an embedder made is not.
    is_same = hashed in (content_hash(title, text, None), content_hash(title, text, vector))
    return "" if is_same else _CHANGED, vector

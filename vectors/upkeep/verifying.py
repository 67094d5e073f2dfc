"""Is everything that a collection holds what it should be? And mending what is not.

Every embedding is read once and coded anew, every text hashed anew: nothing is believed that can be computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.db import transaction

from vectors.codec import Matrix, as_vector, from_blobs
from vectors.errors import CorruptIndex, InvalidVector
from vectors.fulltext import index_text
from vectors.index import blocks, sql
from vectors.index.codes import Codes, bytes_a_row, encode
from vectors.index.lists import Lists
from vectors.index.state import State, read_state
from vectors.index.training import delete_leftovers, rebuild
from vectors.items import Item, content_hash
from vectors.models import Collection, Index
from vectors.reading import get_many
from vectors.rows import as_json, execute, writing_alias
from vectors.search import search
from vectors.sql import Tables, id_list
from vectors.writing import delete, prepare, write

_ROWS: Final = 500
_SHOWN: Final = 20
_LISTS: Final = 64
# Rounding differs between machines and versions of NumPy; codes may differ where a component is all but zero.
_TOLERANCE: Final = 1e-3
_FLIPPED: Final = 2
# Rows that are asked for by their own embeddings, and how near (cosine or l2) a row is to itself.
_ASKED: Final = 100
_NEAR: Final = 1e-4

_MISSING: Final = "missing"
_BAD: Final = "bad"
_CHANGED: Final = "changed"

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
    """What was looked at and found; `repaired` says whether it was mended, and looked at again."""

    rows: int = 0
    codes: int = 0
    listed: int = 0
    asked: int = 0
    found: int = 0
    findings: list[Finding] = field(default_factory=list)
    repaired: list[Finding] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.findings

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
        }


def verify(
    collection: Collection,
    *,
    using: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Check items, embeddings, full text, codes and lists of a collection; changes nothing.

    `progress` hears of rows checked, out of how many. Writers may go on, yet what they write meanwhile can
    look like a fault: verify again.
    """
    return _Check(collection, writing_alias(collection, using), progress).run()


def repair(
    collection: Collection,
    report: Report,
    *,
    using: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Mend what `report` found, and verify again.

    Rows whose content does not fit are embedded anew; where the collection has no embedder, they stay and are
    reported again: only their owner has the embeddings.
    """
    alias, tables = writing_alias(collection, using), Tables.of(collection)
    found = {finding.check for finding in report.findings}
    if "vectors" in found or "text" in found:
        _mend_orphans(tables, alias)
    if "text" in found:
        _mend_texts(tables, alias)
    if found & {"embeddings", "hashes"} and collection.embedder:
        _embed_anew(collection, alias)
    if found & {"codes", "lists", "search"}:
        lists = read_state(tables, alias).lists
        rebuild(collection, lists=lists, using=using, progress=progress)
    if "leftovers" in found:
        delete_leftovers(collection, alias)
    again = verify(collection, using=using, progress=progress)
    still = {(finding.check, finding.problem) for finding in again.findings}
    again.repaired = [one for one in report.findings if (one.check, one.problem) not in still]
    return again


class _Check:
    def __init__(self, collection: Collection, alias: str, progress: Progress) -> None:
        self._collection, self._alias, self._progress = collection, alias, progress
        self._tables = Tables.of(collection)
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
        ids = [row[0] for row in execute(self._alias, sql.items_without_text(self._tables, 10**9))]
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
            for number, key, title, text, hashed, blob in rows:
                fault, vector = _fault(self._collection, title, text, hashed, blob)
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
        anew = "they are embedded anew" if self._collection.embedder else "import these items again"
        self._add("embeddings", "items without an embedding", missing, anew)
        self._add("embeddings", "embeddings that are not finite, or zero", bad, anew)
        self._add("hashes", "items whose content is not what was written", changed, anew)
        self._add("codes", "codes that are not those of their rows", wrong, "the index is built anew")
        return np.array(alive, dtype=np.int64)

    def _items(self) -> Iterator[list[Any]]:
        last_id = 0
        while rows := execute(self._alias, sql.contents_after(self._tables, last_id, _ROWS)):
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
        for start in range(0, len(lists), _LISTS):
            numbers = list(range(start, min(start + _LISTS, len(lists))))
            found = dict(self._read_lists(state, numbers))
            gone += [number for number in numbers if number not in found]
            for codes in found.values():
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

    def _read_lists(self, state: State, numbers: list[int]) -> Iterator[tuple[int, Codes]]:
        parts: dict[int, list[Codes]] = {}
        for number, blob in execute(self._alias, sql.lists_of(self._tables, state.version, numbers)):
            size = bytes_a_row(self._tables.dimensions)
            whole = blob[: len(blob) // size * size]  # a part cut short shows as rows that are missing
            parts.setdefault(number, []).append(Codes.from_blob(whole, self._tables.dimensions))
        for number, some in parts.items():
            yield number, Codes.joined(some)

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
        rows = execute(self._alias, sql.vectors_of(self._tables, id_list(picked)))
        lost = []
        for number, blob in rows:
            vector = from_blobs([blob], self._tables.dimensions)[0]
            hits = search(self._collection, vector=vector, k=1, mode="semantic", using=self._alias).hits
            if not hits or (hits[0].id != number and (hits[0].distance or 0.0) > _NEAR):
                lost.append(number)
        self._report.asked, self._report.found = len(rows), len(rows) - len(lost)
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
            for start in range(0, len(ids), _ROWS):
                for statement in tables.delete_ids(id_list(ids[start : start + _ROWS])):
                    execute(alias, statement)


def _mend_texts(tables: Tables, alias: str) -> None:
    while True:
        with transaction.atomic(using=alias):
            rows = execute(alias, sql.items_without_text(tables, _ROWS))
            if not rows:
                return
            texts = [[number, index_text(title), index_text(text)] for number, title, text in rows]
            execute(alias, tables.insert_fts(as_json(texts)))


def _embed_anew(collection: Collection, alias: str) -> None:
    """Write the items whose content does not fit once more, under new ids."""
    check = _Check(collection, alias, lambda done, total: None)
    for rows in check._items():
        keys = [key for _, key, *content in rows if _fault(collection, *content)[0]]
        if keys:
            stored = get_many(collection, keys, using=alias).values()
            items = [Item(one.key, one.text, one.title, one.metadata) for one in stored]
            prepared = prepare(collection, items, using=alias, everything=True)
            with transaction.atomic(using=alias):
                delete(collection, keys, using=alias)
                write(collection, prepared, using=alias)


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

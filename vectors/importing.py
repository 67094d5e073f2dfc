"""Bring items from a file, or from lines, into a collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from vectors.catalogue import create_collection, get_collection
from vectors.errors import CollectionNotFound, InvalidCollection, InvalidItem, VectorError, shown
from vectors.files import format_of
from vectors.files.base import Row
from vectors.files.jsonl import parsed
from vectors.items import Item, check_item, parse_item
from vectors.managed import refusal
from vectors.models import Collection
from vectors.progress import track
from vectors.writing import UpsertResult, upsert

# Items embedded and written together: bounded by characters, since one text may have a million.
_BATCH_ITEMS: Final = 500
_BATCH_CHARACTERS: Final = 1_000_000
# A number of an embedding takes about as much memory as so many characters.
_NUMBER: Final = 4


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line (or row) that was not imported, and why."""

    line: int
    field: str
    expected: str
    got: str


@dataclass(slots=True)
class ImportReport:
    """What became of a file's lines. `refused` has the first `keep` of the `refusals`, or all of them."""

    collection: str
    result: UpsertResult = field(default_factory=UpsertResult)
    refused: list[Refusal] = field(default_factory=list)
    refusals: int = 0
    keep: int | None = None

    def refuse(self, line: int, error: VectorError) -> None:
        self.refusals += 1
        if self.keep is None or len(self.refused) < self.keep:
            self.refused.append(Refusal(line, error.field, error.expected, error.got))


def import_items(
    name: str,
    path: Path,
    *,
    format: str | None = None,
    dimensions: int | None = None,
    strict: bool = False,
    quiet: bool = False,
) -> ImportReport:
    """Upsert the rows {"key", "text", "title"?, "metadata"?, "vector"?} of a file into the collection `name`.

    The format is that of the file's suffix (.jsonl, .parquet, .npy) or the one named. A collection that is
    missing is created with the default embedder, or for vectors of the caller's own of `dimensions`. A bad
    row is left out and reported; with `strict`, any bad row means that nothing is written.

    Each batch is written wholly or not at all, so whatever stops an import, running it again completes it,
    and finds what is stored already unchanged. Raises OSError and InvalidFile for the file, and VectorError
    where the collection or the embedder is at fault.
    """
    if reason := refusal(name):
        raise InvalidCollection("collection", "one that may be written to", shown(name), reason)
    source = format_of(path, format)
    report = ImportReport(name)
    rows = source.count(path)
    try:
        collection = get_collection(name)
    except CollectionNotFound:
        embedder = None if dimensions is None else ""
        collection = create_collection(name, embedder=embedder, dimensions=dimensions, save=not strict)
    if dimensions not in (None, collection.dimensions):
        expected = f"{collection.dimensions}, as {shown(name)} has"
        raise InvalidCollection("dimensions", expected, f"{dimensions:,}")
    if strict:
        for _ in _items(source.read(path), collection, report, {}):
            pass
        if report.refusals:
            return report
        if collection.pk is None:
            collection = create_collection(name, embedder=embedder, dimensions=dimensions)
    items = _items(source.read(path), collection, report, {})
    for batch in _batches(track(items, f"Importing into {name}", rows, quiet=quiet)):
        report.result += upsert(collection, batch)
    return report


def import_lines(
    collection: Collection, lines: Iterable[tuple[int, str]], *, keep: int | None = None
) -> ImportReport:
    """Upsert numbered lines of JSON, as `import_items` does those of a file, a batch in memory at a time.

    Of lines with the same key the last counts. The report has the first `keep` refusals.
    """
    report = ImportReport(collection.name, keep=keep)
    rows = ((number, parsed(line)) for number, line in lines)
    for batch in _batches(_items(rows, collection, report, None)):
        report.result += upsert(collection, batch)
    return report


def _items(
    rows: Iterable[Row], collection: Collection, report: ImportReport, first_line: dict[str, int] | None
) -> Iterator[Item]:
    """The good rows; bad ones, and repeated keys where they are noted, go to the report."""
    for number, value in rows:
        try:
            if isinstance(value, VectorError):
                raise value
            item = parse_item(value)
            check_item(item, collection)
            if first_line is not None and item.key in first_line:
                wanted = f"a key not used before (line {first_line[item.key]} has it)"
                raise InvalidItem("key", wanted, shown(item.key))
        except VectorError as error:
            report.refuse(number, error)
        else:
            if first_line is not None:
                first_line[item.key] = number
            yield item


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    batch: dict[str, Item] = {}
    size = 0
    for item in items:
        length = len(item.text) + (0 if item.vector is None else _NUMBER * len(item.vector))
        if batch and (len(batch) == _BATCH_ITEMS or size + length > _BATCH_CHARACTERS or item.key in batch):
            yield list(batch.values())
            batch, size = {}, 0
        batch[item.key] = item
        size += length
    if batch:
        yield list(batch.values())

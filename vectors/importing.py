"""Bring a file of items into a collection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from vectors.catalogue import create_collection, get_collection
from vectors.errors import CollectionNotFound, InvalidCollection, InvalidItem, VectorError, shown
from vectors.items import Item, parse_item
from vectors.jsonl import parse_line, read_lines
from vectors.managed import refusal
from vectors.models import Collection
from vectors.progress import track
from vectors.writing import UpsertResult, upsert

# Items embedded and written together: bounded by characters, since one text may have a million.
_BATCH_ITEMS: Final = 500
_BATCH_CHARACTERS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not imported, and why."""

    line: int
    field: str
    expected: str
    got: str


@dataclass(slots=True)
class ImportReport:
    """What became of a file's lines."""

    collection: str
    result: UpsertResult = field(default_factory=UpsertResult)
    refused: list[Refusal] = field(default_factory=list)


def import_items(name: str, path: Path, *, strict: bool = False, quiet: bool = False) -> ImportReport:
    """Upsert the lines {"key", "text", "title"?, "metadata"?} of a file into the collection `name`.

    The collection is created with the default embedder where it is missing. A bad line is left out and
    reported; with `strict`, any bad line means that nothing is written. Raises OSError for the file, and
    VectorError where the collection or the embedder is at fault.
    """
    if reason := refusal(name):
        raise InvalidCollection("collection", "one that may be written to", shown(name), reason)
    report = ImportReport(name)
    lines = sum(1 for _ in read_lines(path))
    if strict:
        for _ in _items(path, report):
            pass
        if report.refused:
            return report
    collection = _collection(name)
    batch: list[Item] = []
    size = 0
    for item in track(_items(path, report), f"Importing into {name}", lines, quiet=quiet):
        if batch and (len(batch) == _BATCH_ITEMS or size + len(item.text) > _BATCH_CHARACTERS):
            report.result += upsert(collection, batch)
            batch, size = [], 0
        batch.append(item)
        size += len(item.text)
    if batch:
        report.result += upsert(collection, batch)
    return report


def _items(path: Path, report: ImportReport) -> Iterator[Item]:
    """The file's good lines; bad ones, and repeated keys, go to the report."""
    first_line: dict[str, int] = {}
    for number, line in read_lines(path):
        try:
            item = parse_item(parse_line(line))
            if item.key in first_line:
                wanted = f"a key not used before (line {first_line[item.key]} has it)"
                raise InvalidItem("key", wanted, shown(item.key))
        except VectorError as error:
            report.refused.append(Refusal(number, error.field, error.expected, error.got))
        else:
            first_line[item.key] = number
            yield item


def _collection(name: str) -> Collection:
    try:
        return get_collection(name)
    except CollectionNotFound:
        return create_collection(name)

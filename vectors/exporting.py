"""Write the items of a collection to a file, or as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from vectors.browsing import Page, pages
from vectors.catalogue import get_collection
from vectors.files import format_of
from vectors.files.base import as_lines, replacing
from vectors.models import Collection
from vectors.progress import track
from vectors.reading import count

_PAGE: Final = 200


@dataclass(slots=True)
class ExportReport:
    """What was written, and where."""

    collection: str
    items: int = 0
    files: list[str] = field(default_factory=list)


def export_items(
    name: str,
    path: Path,
    *,
    format: str | None = None,
    with_vectors: bool = False,
    filter: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> ExportReport:
    """Write the items of the collection `name`, in the order of their ids, to a file that an import reads.

    The format is that of the file's suffix (.jsonl, .parquet, .npy) or the one named. An array has embeddings
    always, the others `with_vectors`. The file appears once it is whole. A page is held in memory at a time;
    items written meanwhile may be missing. Raises OSError, InvalidFile, InvalidFilter or CollectionNotFound.
    """
    collection = get_collection(name)
    wanted = format_of(path, format)
    with_vectors = with_vectors or wanted.needs_vectors
    files = wanted.files(path)
    report = ExportReport(name, files=[str(file) for file in files])
    total = count(collection, filter)
    with replacing(files) as unfinished:
        writer = wanted.open(unfinished, collection.dimensions, with_vectors)
        try:
            found = pages(collection, limit=_PAGE, filter=filter, with_vectors=with_vectors)
            for _ in track(_written(found, writer.write), f"Exporting {name}", total, quiet=quiet):
                report.items += 1
        finally:
            writer.close()
    return report


def export_lines(
    collection: Collection, *, with_vectors: bool = False, filter: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """The items as lines of JSON, a page in memory at a time."""
    for page in pages(collection, limit=_PAGE, filter=filter, with_vectors=with_vectors):
        yield from as_lines(page, with_vectors=with_vectors)


def _written(found: Iterator[Page], write: Any) -> Iterator[str]:
    """The keys of the items, each after its page has been written."""
    for page in found:
        write(page)
        yield from (item.key for item in page.items)

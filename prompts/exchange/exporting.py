"""Exporting prompts: everything, to be read again without loss, or what another format has a place for."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS

from vectors.files.base import replacing

from . import langfuse, tables
from .json_lines import MAX_LINE, dump_line
from .markdown_folders import write_folder
from .problems import ImportFileError
from .records import PromptRecord, to_json
from .registry import Selection, iterate_records

FORMATS: Final = ("jsonl", "csv", "json", "langfuse", "markdown")
_BY_SUFFIX: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".json": "json"}
# Tables have a row a prompt, so no history; the others have one unless it is not wanted.
_TABLES: Final = ("csv", "json")
_LOSSLESS: Final = ("jsonl", "markdown")


@dataclass(slots=True)
class ExportResult:
    format: str
    prompts: int = 0
    versions: int = 0


def export_prompts(
    path: Path,
    selection: Selection,
    *,
    format: str = "",
    watch: Callable[[Iterable[PromptRecord]], Iterable[PromptRecord]] = lambda records: records,
    using: str = DEFAULT_DB_ALIAS,
) -> ExportResult:
    """Write prompts to a file, or to a folder of Markdown files, which appear once they are whole.

    The format is one of ``FORMATS``, by default that of the file's extension, and Markdown without one.
    Raises ``ImportFileError`` for a place that cannot be written to, and ``OSError``.
    """
    result = ExportResult(format or format_of(path))
    lossless = result.format in _LOSSLESS
    history = selection.history and result.format not in _TABLES
    selection = replace(selection, history=history, trash=selection.trash and lossless)
    records = iterate_records(selection, using)
    if result.format == "markdown":
        written = write_folder(records, path, history=selection.history)
    else:
        if path.is_dir():
            raise ImportFileError(
                f"{path}: expected the name of a file, got a folder. Pass --format markdown."
            )
        written = _write_file(path, records, result.format)
    for record in watch(written):
        result.prompts += 1
        result.versions += len(record.versions)
    return result


def export_lines(
    selection: Selection, *, with_emails: bool = True, using: str = DEFAULT_DB_ALIAS
) -> Iterator[str]:
    """The prompts as lines of JSON."""
    for record in iterate_records(selection, using):
        yield dump_line(to_json(record, with_emails=with_emails))


def format_of(path: Path) -> str:
    """Raises ``ImportFileError`` for an extension that says nothing."""
    suffix = path.suffix.lower()
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if path.is_dir() or not suffix:
        return "markdown"
    raise ImportFileError(
        f"{path.name}: expected a file ending in {', '.join(_BY_SUFFIX)}, or a folder. Pass --format."
    )


def has_history(format: str) -> bool:
    return format not in _TABLES


def _write_file(path: Path, records: Iterable[PromptRecord], format: str) -> Iterator[PromptRecord]:
    with replacing([path]) as [unfinished], unfinished.open("w", encoding="utf-8", newline="") as file:
        match format:
            case "jsonl":
                for record in records:
                    line = dump_line(to_json(record))
                    if len(line) > MAX_LINE // 4 and len(line.encode()) > MAX_LINE:
                        raise ImportFileError(f"{record.name}: its history is longer than an import takes.")
                    file.write(line)
                    yield record
            case "csv":
                file.write(tables.csv_header())
                for record in records:
                    file.write(tables.csv_row(record))
                    yield record
            case _:
                yield from _write_array(file.write, records, format)


def _write_array(
    write: Callable[[str], Any], records: Iterable[PromptRecord], format: str
) -> Iterator[PromptRecord]:
    before = "[\n"
    for record in records:
        objects = langfuse.to_objects(record) if format == "langfuse" else [tables.to_row(record)]
        for value in objects:
            write(before + json.dumps(value, ensure_ascii=False, allow_nan=False))
            before = ",\n"
        yield record
    write("[]\n" if before == "[\n" else "\n]\n")

"""Reading prompts from CSV, JSON Lines and JSON files into rows of one form."""

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from .models import Status

# The first of these columns that a file has is taken.
_TITLE, _CONTENT = ("title", "act"), ("content", "prompt", "text")
_FIELDS = {*_TITLE, *_CONTENT, "name", "folder", "language", "tags", "status", "metadata"}
_MAX_FIELD = 16 * 1024 * 1024  # characters of a CSV field; Python's default is 131,072
READABLE = (".csv", ".jsonl", ".ndjson", ".json")


class ImportFileError(Exception):
    """The file as a whole cannot be read; the text says what was expected and what came."""


@dataclass(frozen=True)
class Refusal:
    """Why a row is not imported. ``line`` counts from 1; in a JSON file it is the number of the object."""

    line: int
    field: str
    expected: str
    got: str


@dataclass(frozen=True)
class ImportRow:
    line: int
    title: str
    content: str
    name: str = ""  # empty: made from folder and title
    folder: str = ""
    language: str = ""
    status: str = Status.ACTIVE
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)


def read_rows(path: Path) -> Iterator[ImportRow | Refusal]:
    """The rows of a file, or for each that has not the right form the reason.

    Raises ``ImportFileError`` where the file is missing, not UTF-8 or not what its extension says.
    """
    if path.suffix.lower() not in READABLE:
        raise ImportFileError(f"{path.name}: expected a file ending in {', '.join(READABLE)}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ImportFileError(f"{path}: cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ImportFileError(
            f"{path.name}: expected UTF-8 text, got byte 0x{error.object[error.start]:02x} at position "
            f"{error.start}. Convert the file to UTF-8 first."
        ) from error
    if path.suffix.lower() == ".csv":
        records = _read_csv(path.name, text)
    elif path.suffix.lower() == ".json":
        records = _read_json(path.name, text)
    else:
        records = _read_json_lines(path.name, text)
    for line, record in records:
        yield record if isinstance(record, Refusal) else _to_row(line, record)


def _read_csv(name: str, text: str) -> Iterator[tuple[int, dict[str, Any] | Refusal]]:
    csv.field_size_limit(max(_MAX_FIELD, csv.field_size_limit()))
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        columns = [_column(cell) for cell in next(reader, [])]
    except csv.Error as error:
        raise ImportFileError(f"{name}: expected CSV, got a first line that is none: {error}.") from error
    if not set(columns) & set(_TITLE) or not set(columns) & set(_CONTENT):
        raise ImportFileError(
            f"{name}: expected CSV with a column {' or '.join(_TITLE)} and a column {' or '.join(_CONTENT)}, "
            f"got {', '.join(columns)[:200] or 'nothing'}."
        )
    if twice := sorted({column for column in columns if column and columns.count(column) > 1}):
        raise ImportFileError(
            f"{name}: expected columns that occur once, got {', '.join(twice)[:200]} twice."
        )
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, Refusal(line, "row", "a CSV row", str(error))
            continue
        if not cells:  # an empty line
            continue
        if len(cells) != len(columns):
            yield line, Refusal(line, "row", f"{len(columns)} fields", f"{len(cells)} fields")
            continue
        yield line, dict(zip(columns, cells, strict=True))


def _column(cell: str) -> str:
    """A column's name; those that AFN knows may be written in capitals."""
    name = cell.strip()
    return name.lower() if name.lower() in _FIELDS else name


def _read_json_lines(name: str, text: str) -> Iterator[tuple[int, dict[str, Any] | Refusal]]:
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    records = [(number, _parse_line(number, line)) for number, line in lines]
    if all(isinstance(record, Refusal) for _, record in records):  # this is some other kind of file
        got = f"{lines[0][1][:80]!r} in line {lines[0][0]}" if lines else "nothing"
        raise ImportFileError(f"{name}: expected one JSON object a line, got {got}.")
    yield from records


def _parse_line(number: int, line: str) -> dict[str, Any] | Refusal:
    try:
        record = _parse_json(line)
    except ValueError:
        return Refusal(number, "row", "a JSON object", line[:80])
    return record if isinstance(record, dict) else _no_object(number, record)


def _read_json(name: str, text: str) -> Iterator[tuple[int, dict[str, Any] | Refusal]]:
    try:
        document = _parse_json(text)
    except ValueError as error:
        raise ImportFileError(f"{name}: expected JSON: {error}.") from error
    records = document.get("prompts") if isinstance(document, dict) else document
    if not isinstance(records, list):
        raise ImportFileError(
            f"{name}: expected a list of objects, or an object with such a list as prompts."
        )
    for number, record in enumerate(records, start=1):
        yield number, record if isinstance(record, dict) else _no_object(number, record)


def _parse_json(text: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"expected a finite number, got {constant}")

    def finite(digits: str) -> float:
        number = float(digits)
        return number if math.isfinite(number) else refuse(digits[:40])

    try:
        return json.loads(text, parse_constant=refuse, parse_float=finite)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _no_object(number: int, record: Any) -> Refusal:
    return Refusal(number, "row", "a JSON object", type(record).__name__)


def _to_row(line: int, record: dict[str, Any]) -> ImportRow | Refusal:
    title = next((record[key] for key in _TITLE if key in record), None)
    content = next((record[key] for key in _CONTENT if key in record), None)
    texts: dict[str, Any] = {"title": title, "content": content}
    texts |= {key: record.get(key) or "" for key in ("name", "folder", "language")}
    texts["status"] = record.get("status") or Status.ACTIVE
    for key, value in texts.items():
        if not isinstance(value, str):
            got = "nothing" if value is None else type(value).__name__
            return Refusal(line, key, "text", got)
    if texts["status"] not in Status.values:
        return Refusal(line, "status", " or ".join(Status.values), texts["status"][:80])
    tags = record.get("tags") or []
    metadata = record.get("metadata") or {}
    if isinstance(tags, str):  # a CSV cell
        tags = [tag.strip() for tag in tags.split(",") if tag.strip()]
    if not isinstance(tags, list):
        return Refusal(line, "tags", "a list of texts", type(tags).__name__)
    if isinstance(metadata, str):
        try:
            metadata = _parse_json(metadata)
        except ValueError:
            return Refusal(line, "metadata", "a JSON object", metadata[:80])
    if not isinstance(metadata, dict):
        return Refusal(line, "metadata", "a JSON object", type(metadata).__name__)
    # What AFN has no column for is kept beside the prompt.
    rest = {key: value for key, value in record.items() if key not in _FIELDS and value not in ("", None)}
    metadata = rest | metadata
    return ImportRow(line=line, tags=tags, metadata=metadata, **texts)

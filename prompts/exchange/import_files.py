"""Reading prompts from CSV, JSON Lines and JSON files: rows of one form, or records with histories."""

import csv
import io
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from ..models import Kind, Status, TemplateFormat
from ..rendering import messages
from ..rendering.errors import TemplateProblem
from . import langfuse
from .checking import content_in, from_json, is_record
from .json_lines import Records, open_file, parse_json, read_lines
from .problems import ImportFileError, Refusal, WrongValue, shown
from .records import PromptRecord

__all__ = ["READABLE", "ImportFileError", "ImportRow", "Refusal", "read_items", "read_rows"]

# The first of these columns that a file has is taken.
_TITLE, _CONTENT = ("title", "act"), ("content", "prompt", "text")
_FIELDS = {*_TITLE, *_CONTENT, "name", "folder", "language", "tags", "status", "metadata"}
# Those are AFN's where a row says its template format; else they are somebody's columns as any other.
_TEMPLATE: Final = ("type", "template_format", "variables", "config")
_MAX_FIELD = 16 * 1024 * 1024  # characters of a CSV field; Python's default is 131,072
MAX_FILE: Final = 1024 * 1024 * 1024  # bytes of a file that is read as a whole
READABLE = (".csv", ".jsonl", ".ndjson", ".json")
_MAX_REFUSED: Final = 10_000  # lines without an object before a file is taken for another kind
FORMATS: Final = ("jsonl", "csv", "json", "langfuse")


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
    # Type, template format, variables and config; None: a text, or what the prompt is already.
    template: dict[str, Any] | None = None


Item = tuple[int, ImportRow | PromptRecord | Refusal]


def read_items(path: Path, format: str = "") -> Iterator[Item]:
    """What a file holds, with the numbers of the lines, or for what has not the right form the reason.

    The format is one of ``FORMATS``, by default what the extension and the content say. Raises
    ``ImportFileError`` where the file is missing, too large, not UTF-8 or not what its extension says.
    """
    suffix = path.suffix.lower()
    if not format and suffix not in READABLE:
        raise ImportFileError(f"{path.name}: expected a file ending in {', '.join(READABLE)}.")
    if format == "jsonl" or (format in ("", "langfuse") and suffix in (".jsonl", ".ndjson")):
        with open_file(path) as file:
            _check_file(path, file.fileno())
            yield from _items(_some_lines(path.name, read_lines(file)), format)
        return
    text = _read_text(path)
    if format == "csv" or (not format and suffix == ".csv"):
        yield from _items(_read_csv(path.name, text), format)
    else:
        yield from _items(_read_json(path.name, text), format)


def read_open_lines(file: IO[bytes], name: str) -> Iterator[Item]:
    """The lines of JSON of a file that is open, from its beginning."""
    file.seek(0)
    yield from _items(_some_lines(name, read_lines(file)), "jsonl")


def read_rows(path: Path) -> Iterator[ImportRow | PromptRecord | Refusal]:
    """The same without numbers, which rows have as well."""
    return (item for _, item in read_items(path))


def _items(records: Records, format: str) -> Iterator[Item]:
    """Langfuse's objects are versions, which are put together to prompts; all others come one by one."""
    versions = langfuse.Collected()
    for line, record in records:
        if isinstance(record, Refusal):
            yield line, record
        elif format == "langfuse" or (not format and langfuse.is_version(record)):
            if refusal := versions.add(line, record):
                yield line, refusal
        else:
            yield line, to_item(line, record)
    yield from versions.records()


def to_item(line: int, record: dict[str, Any]) -> ImportRow | PromptRecord | Refusal:
    if not is_record(record):
        return _to_row(line, record)
    try:
        return from_json(record)
    except WrongValue as wrong:
        return wrong.at(line)


def _check_file(path: Path, number: int, maximum: int | None = None) -> None:
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        raise ImportFileError(f"{path.name}: expected a file, got something else of that name.")
    if maximum is not None and status.st_size > maximum:
        raise ImportFileError(
            f"{path.name}: expected at most {maximum:,} bytes, got {status.st_size:,}. Split the file, or "
            "use JSON Lines, which are read one by one."
        )


def _read_text(path: Path) -> str:
    with open_file(path) as file:
        _check_file(path, file.fileno(), MAX_FILE)
        content = file.read(MAX_FILE)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportFileError(
            f"{path.name}: expected UTF-8 text, got byte 0x{error.object[error.start]:02x} at position "
            f"{error.start}. Convert the file to UTF-8 first."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _some_lines(name: str, records: Records) -> Records:
    """Raises where no line is an object: then this is some other kind of file."""
    refused: list[tuple[int, Refusal]] = []
    for number, record in records:
        if not isinstance(record, Refusal):
            yield from refused
            yield number, record
            yield from records
            return
        refused.append((number, record))
        if len(refused) > _MAX_REFUSED:
            break
    if not refused:
        raise ImportFileError(f"{name}: expected one JSON object a line, got nothing.")
    first = refused[0][1]
    if first.expected == "UTF-8 text":
        raise ImportFileError(
            f"{name}: expected UTF-8 text, got {first.got}. Convert the file to UTF-8 first."
        )
    raise ImportFileError(f"{name}: expected one JSON object a line, got {first.got!r} in line {first.line}.")


def _read_csv(name: str, text: str) -> Records:
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


def _read_json(name: str, text: str) -> Records:
    try:
        document = parse_json(text)
    except ValueError as error:
        raise ImportFileError(f"{name}: expected JSON: {error}.") from error
    records = document
    if isinstance(document, dict):
        records = document.get("prompts", document.get("data"))
    if not isinstance(records, list):
        raise ImportFileError(
            f"{name}: expected a list of objects, or an object with such a list as prompts."
        )
    for number, record in enumerate(records, start=1):
        yield number, record if isinstance(record, dict) else _no_object(number, record)


def _no_object(number: int, record: Any) -> Refusal:
    return Refusal(number, "row", "a JSON object", type(record).__name__)


def _to_row(line: int, record: dict[str, Any]) -> ImportRow | Refusal:
    try:
        return _row(line, record)
    except WrongValue as wrong:
        return wrong.at(line)


def _row(line: int, record: dict[str, Any]) -> ImportRow:
    title = next((record[key] for key in _TITLE if key in record), None)
    content = next((record[key] for key in _CONTENT if key in record), None)
    template = _template(record, content)
    if template and not isinstance(content, str):
        content = content_in(template["type"], content, "content")
    texts: dict[str, Any] = {"title": title, "content": content}
    texts |= {key: record.get(key) or "" for key in ("name", "folder", "language")}
    texts["status"] = record.get("status") or Status.ACTIVE
    for key, value in texts.items():
        if not isinstance(value, str):
            raise WrongValue(key, "text", "nothing" if value is None else type(value).__name__)
    if texts["status"] not in Status.values:
        raise WrongValue("status", " or ".join(Status.values), texts["status"][:80])
    # What AFN has no column for is kept beside the prompt.
    known = {*_FIELDS, *_TEMPLATE} if template and "template_format" in template else _FIELDS
    if _kind(record) == (template or {}).get("type", Kind.TEXT):
        known = {*known, "type"}  # whosever column it is, it says no more than the prompt does
    rest = {key: value for key, value in record.items() if key not in known and value not in ("", None)}
    metadata = rest | _object(record, "metadata")
    return ImportRow(line=line, tags=_tags(record), metadata=metadata, template=template, **texts)


def _template(record: dict[str, Any], content: Any) -> dict[str, Any] | None:
    if record.get("template_format") not in TemplateFormat.values:
        is_chat = isinstance(content, list) and any(isinstance(one, dict) for one in content)
        is_chat = is_chat or (_kind(record) == Kind.CHAT and _is_conversation(content))
        return {"type": Kind.CHAT.value} if is_chat else None
    kind = record.get("type") or Kind.TEXT.value
    if kind not in Kind.values:
        raise WrongValue("type", " or ".join(Kind.values), shown(kind))
    template = {"type": kind, "template_format": record["template_format"]}
    return template | {name: _object(record, name) for name in ("variables", "config")}


def _kind(record: dict[str, Any]) -> str:
    """What a column called type says, which may be anybody's."""
    return str(record.get("type", "")).strip().lower()


def _is_conversation(content: Any) -> bool:
    """Whether a text, such as a cell of CSV, holds a chat's messages as JSON."""
    try:
        return isinstance(content, str) and bool(messages.parse(content))
    except TemplateProblem:
        return False


def _tags(record: dict[str, Any]) -> list[Any]:
    tags = record.get("tags") or []
    if isinstance(tags, str):  # a CSV cell
        with suppress(ValueError):
            if tags.startswith("[") and isinstance(listed := parse_json(tags), list):
                return listed
        tags = [tag.strip() for tag in tags.split(",") if tag.strip()]
    if not isinstance(tags, list):
        raise WrongValue("tags", "a list of texts", type(tags).__name__)
    return tags


def _object(record: dict[str, Any], name: str) -> dict[str, Any]:
    value = record.get(name) or {}
    if isinstance(value, str):  # a CSV cell
        try:
            value = parse_json(value)
        except ValueError as error:
            raise WrongValue(name, "a JSON object", record[name][:80]) from error
    if not isinstance(value, dict):
        raise WrongValue(name, "a JSON object", type(value).__name__)
    return value

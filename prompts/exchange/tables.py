"""The newest versions of prompts as rows of a table, in CSV or in JSON: without history, labels and trash."""

import csv
import io
import json
from typing import Any, Final

from .records import PromptRecord, content_out

COLUMNS: Final = (
    "name", "title", "content", "type", "template_format", "variables", "config",
    "language", "status", "tags", "metadata",
)  # fmt: skip


def to_row(record: PromptRecord) -> dict[str, Any]:
    payload = record.current.payload
    return {
        "name": record.name,
        "title": record.title,
        "content": content_out(record.type, payload.content),
        "type": record.type,
        "template_format": payload.template_format,
        "variables": payload.variables,
        "config": payload.config,
        "language": record.language,
        "status": record.status,
        "tags": record.tags,
        "metadata": record.metadata,
    }


def csv_header() -> str:
    return _line(list(COLUMNS))


def csv_row(record: PromptRecord) -> str:
    """A chat's messages, and all that is no text, as JSON in a cell."""
    row = {**to_row(record), "content": record.current.payload.content}
    return _line([value if isinstance(value, str) else _cell(value) for value in row.values()])


def _cell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False) if value else ""


def _line(cells: list[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(cells)
    return text.getvalue()

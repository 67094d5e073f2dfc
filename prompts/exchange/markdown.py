"""A prompt as a Markdown file: front matter, then the content to the letter.

The last line break of a file is the file's: a content that ends with one is followed by another. The messages
of a chat begin with lines of their own, such as ``<!-- message: "user" -->``; where a message has such a line
itself, the front matter names another word (``separator``), which no message has.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from ..models import Kind, Payload, TemplateFormat
from ..rendering import messages
from . import front_matter
from .checking import check_fields, check_payload
from .paths import name_of
from .problems import WrongValue, shown, values_within
from .records import PromptRecord

_SEPARATOR: Final = "message"
_KNOWN: Final = (
    "name", "title", "type", "status", "language", "tags", "metadata",
    "template_format", "variables", "config", "separator",
)  # fmt: skip


@dataclass(slots=True)
class File:
    """What a file says. ``fields`` and ``payload`` are checked; ``given`` are the fields that it names."""

    fields: dict[str, Any]
    given: frozenset[str]
    type: str
    payload: Payload


def dump(record: PromptRecord) -> str:
    """The newest version of a record, with what belongs to the prompt."""
    payload = record.current.payload
    values: dict[str, Any] = {"name": record.name, "title": record.title}
    if record.type != Kind.TEXT:
        values["type"] = record.type
    values |= {"status": record.status, "language": record.language, "tags": record.tags}
    if payload.template_format != TemplateFormat.SIMPLE:
        values["template_format"] = payload.template_format
    optional = {"variables": payload.variables, "config": payload.config, "metadata": record.metadata}
    values |= {name: value for name, value in optional.items() if value}
    body = payload.content
    if record.type == Kind.CHAT:
        body, separator = _sections(payload.content)
        if separator != _SEPARATOR:
            values["separator"] = separator
        return front_matter.dump(values) + body
    return f"{front_matter.dump(values)}{body}\n"


def load(text: str, path: str) -> File:
    """Raises ``WrongValue``. Without front matter name and title are those of the path."""
    values, body = front_matter.split(text)
    values = values or {}
    # With line ends of Windows in front of it, the last one is such, too.
    is_windows = body.endswith("\r\n") and not text.startswith("---\n")
    body = body[:-2] + "\n" if is_windows else body
    metadata = values.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise WrongValue("metadata", "an object", shown(metadata))
    # What AFN has no place for is kept beside the prompt.
    metadata = {name: value for name, value in values.items() if name not in _KNOWN} | metadata
    name = values.get("name") or name_of(path)
    title = values.get("title") or str(name).rpartition("/")[2]
    fields = {"name": name, "title": title, "metadata": metadata}
    fields["tags"] = _tags(values.get("tags"))
    for key in ("status", "language"):
        if values.get(key):
            fields[key] = values[key]
    kind = values.get("type") or Kind.TEXT.value
    if kind not in Kind.values:
        raise WrongValue("type", " or ".join(Kind.values), shown(kind))
    template_format: Any = values.get("template_format") or TemplateFormat.SIMPLE.value
    if template_format not in TemplateFormat.values:
        expected = " or ".join(TemplateFormat.values)
        raise WrongValue("template_format", expected, shown(template_format))
    for key in ("variables", "config"):
        if not isinstance(values.get(key) or {}, dict):
            raise WrongValue(key, "an object", shown(values[key]))
    payload = Payload(
        content=_content(kind, body, values.get("separator") or _SEPARATOR),
        config=values.get("config") or {},
        variables=values.get("variables") or {},
        template_format=template_format,
    )
    given = frozenset(name for name in values if name in _KNOWN)
    return File(check_fields(fields), given, kind, check_payload(kind, payload))


def has_front_matter(text: str) -> bool:
    try:
        return front_matter.split(text)[0] is not None
    except WrongValue:
        return True


def _tags(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [tag.strip() for tag in value.split(",") if tag.strip()]
    if not isinstance(value or [], list):
        raise WrongValue("tags", "a list of texts", shown(value))
    return [tag if isinstance(tag, str) else json.dumps(tag) for tag in value or []]


def _content(kind: str, body: str, separator: Any) -> str:
    if kind == Kind.CHAT:
        if not isinstance(separator, str) or not re.fullmatch(r"[a-z]+-?[0-9]*", separator):
            raise WrongValue("separator", "a word such as message or message-2", shown(separator))
        with values_within():
            return messages.dump(messages.check(_messages(body, separator)))
    return body.removesuffix("\n")


def _sections(content: str) -> tuple[str, str]:
    """A chat's messages as sections, and the word that separates them."""
    found = messages.parse(content)
    separator, number = _SEPARATOR, 1
    while any(f"<!-- {separator}:" in message.get("content", "") for message in found):
        number += 1
        separator = f"{_SEPARATOR}-{number}"
    parts: list[str] = []
    for message in found:
        if messages.is_placeholder(message):
            parts.append(f'<!-- {separator}: {{"placeholder": {_quoted(message["name"])}}} -->\n')
        else:
            parts.append(f"<!-- {separator}: {_quoted(message['role'])} -->\n{message['content']}\n")
    return "".join(parts), separator


def _quoted(text: str) -> str:
    """As JSON, in which no comment can end."""
    return json.dumps(text, ensure_ascii=False).replace(">", "\\u003e")


def _messages(body: str, separator: str) -> list[dict[str, Any]]:
    marker = re.compile(rf"^<!-- {re.escape(separator)}: (.+?) -->[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
    marks = list(marker.finditer(body))
    before = body[: marks[0].start()] if marks else body
    if before.strip() or not marks:
        raise WrongValue(
            "content", f'a line <!-- {separator}: "user" --> before each message', shown(before[:40])
        )
    ends = [mark.start() for mark in marks[1:]] + [len(body)]
    found: list[dict[str, Any]] = []
    for mark, end in zip(marks, ends, strict=True):
        content = body[mark.end() : end].removesuffix("\n")
        try:
            what = json.loads(mark[1])
        except ValueError:
            what = mark[1]  # written by hand, without quotation marks
        if isinstance(what, dict) and set(what) == {"placeholder"}:
            if content.strip():
                raise WrongValue("content", "nothing after a placeholder", shown(content[:40]))
            found.append({"type": "placeholder", "name": what["placeholder"]})
        else:
            found.append({"role": what, "content": content})
    return found

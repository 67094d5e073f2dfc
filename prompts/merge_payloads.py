"""Three-way merges of what versions hold: texts by lines, chats by messages, configurations key by key."""

import json
from dataclasses import dataclass
from typing import Any

from .models import Kind, Payload
from .rendering import messages
from .three_way import Hunk, Side, merge_text, merge_value


@dataclass(frozen=True, slots=True)
class MergedPayload:
    """``payload`` is None where there are conflicts, which are told by the path of the field."""

    payload: Payload | None
    conflicts: dict[str, list[Hunk]]


def merge_payloads(
    kind: str, base: Payload | None, ours: Payload, theirs: Payload, *, resolve: Side | None = None
) -> MergedPayload:
    """Merge two versions of a prompt of the type `kind`; without a `base` they have nothing in common."""
    before = base or Payload("")
    merged: dict[str, Any] = {}
    conflicts: dict[str, list[Hunk]] = {}
    sides = [_lines(kind, one.content) for one in (before, ours, theirs)]
    content = merge_text(*sides, resolve=resolve)
    if content.text is None:
        conflicts["content"] = content.conflicts
    else:
        merged["content"] = _content(kind, content.text)
    for name in ("config", "variables", "template_format"):
        values = [getattr(one, name) for one in (before, ours, theirs)]
        merged[name], found = merge_value(*values, resolve=resolve, path=name)
        conflicts |= {path: [hunk] for path, hunk in found.items()}
    return MergedPayload(None if conflicts else Payload(**merged), conflicts)


def _lines(kind: str, content: str) -> str:
    if kind == Kind.TEXT or not content:
        return content
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in messages.parse(content))


def _content(kind: str, lines: str) -> str:
    if kind == Kind.TEXT:
        return lines
    return messages.dump([json.loads(line) for line in lines.splitlines()])

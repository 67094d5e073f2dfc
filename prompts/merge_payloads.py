"""Three-way merges of what versions hold: texts by lines, chats by messages, configurations key by key."""

import json
from dataclasses import dataclass
from typing import Any

from .models import Kind, Payload
from .rendering import messages
from .three_way import Hunk, Side, merge_text, merge_value, value_hunk


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
    if ours.template_format == theirs.template_format:
        merged["template_format"] = ours.template_format
        sides = [_lines(kind, one.content) for one in (before, ours, theirs)]
        content = merge_text(*sides, resolve=resolve)
        if content.text is None:
            conflicts["content"] = content.conflicts
        else:
            merged["content"] = _content(kind, content.text)
    else:
        # A line of one format means something else in the other: the side that changed has both.
        both = [[_lines(kind, one.content), one.template_format] for one in (before, ours, theirs)]
        chosen, found = merge_value(*both, resolve=resolve, path="content")
        if found:
            conflicts["content"] = merge_text(*(text for text, _ in both)).conflicts
            values = [one.template_format for one in (before, ours, theirs)]
            conflicts["template_format"] = [value_hunk(*values)]
        else:
            merged["content"], merged["template_format"] = _content(kind, chosen[0]), chosen[1]
    for name in ("config", "variables"):
        values = [getattr(one, name) for one in (before, ours, theirs)]
        merged[name], found = merge_value(*values, resolve=resolve, path=name)
        conflicts |= {path: [hunk] for path, hunk in found.items()}
    return MergedPayload(
        None if conflicts else Payload(**merged), {path: hunks for path, hunks in conflicts.items() if hunks}
    )


def _lines(kind: str, content: str) -> str:
    if kind == Kind.TEXT or not content:
        return content
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in messages.parse(content))


def _content(kind: str, lines: str) -> str:
    if kind == Kind.TEXT:
        return lines
    # Not splitlines(): JSON leaves U+2028 and others as they are, at which that would cut.
    return messages.dump([json.loads(line) for line in lines.split("\n") if line])

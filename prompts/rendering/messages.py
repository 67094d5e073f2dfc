"""Chat prompts: a list of messages and placeholders, kept as one text.

The text is a JSON array with one entry a line, so that whatever looks at lines (diffs, merges, blame) sees
messages. A message is ``{"role", "content"}``, a placeholder ``{"type": "placeholder", "name"}``: there the
application puts messages of its own, such as the conversation so far.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from .errors import TemplateProblem
from .names import NAME, check_text

MAX_MESSAGES: Final = 500
MAX_ROLE: Final = 64
MAX_CONTENT: Final = 1_000_000  # characters of a whole prompt, as it is stored
_MESSAGE_TYPES: Final = ("message", "chatmessage")  # what clients of Langfuse send along

Message = dict[str, str]


def parse(content: str) -> list[Message]:
    """The messages of a stored content. Raises ``TemplateProblem`` where it is none of a chat prompt."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise TemplateProblem("content", "a JSON list of messages", repr(content[:80])) from None
    return check(value)


def dump(messages: Sequence[Message]) -> str:
    """The one text of these messages in their one form (`check`): equal ones have equal texts."""
    lines = ",\n".join(json.dumps(message, ensure_ascii=False) for message in messages)
    return f"[\n{lines}\n]"


def check(value: Any, field: str = "content", *, with_placeholders: bool = True) -> list[Message]:
    """`value` as messages in their one form. Raises ``TemplateProblem`` that names the entry at fault."""
    if not isinstance(value, list):
        raise TemplateProblem(field, "a list of messages", _type(value))
    if not 1 <= len(value) <= MAX_MESSAGES:
        raise TemplateProblem(field, f"1 to {MAX_MESSAGES} messages", str(len(value)))
    return [_check(entry, f"{field}[{at}]", with_placeholders) for at, entry in enumerate(value)]


def is_placeholder(message: Message) -> bool:
    return message.get("type") == "placeholder"


def placeholders(messages: Sequence[Message]) -> list[str]:
    """Names of the placeholders, in order, each once."""
    return list(dict.fromkeys(message["name"] for message in messages if is_placeholder(message)))


def transcript(messages: Sequence[Message]) -> str:
    """The messages as a person reads them, for search and diffs: a line for the role, then the text."""
    return "\n".join(_lines(messages))


def _lines(messages: Sequence[Message]) -> Iterator[str]:
    for message in messages:
        if is_placeholder(message):
            yield f"[placeholder: {message['name']}]"
        else:
            yield f"[{message['role']}]"
            yield message["content"]


def _check(entry: Any, field: str, with_placeholders: bool) -> Message:
    if not isinstance(entry, dict):
        raise TemplateProblem(field, "an object with role and content", _type(entry))
    kind = entry.get("type", "message")
    if kind == "placeholder" and with_placeholders:
        _only(entry, field, ("type", "name"))
        name = entry.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise TemplateProblem(
                f"{field}.name", "a name of letters, digits and _ . -, a letter first", repr(name)[:100]
            )
        return {"type": "placeholder", "name": name}
    if kind not in _MESSAGE_TYPES:
        raise TemplateProblem(f"{field}.type", "message or placeholder", repr(kind)[:100])
    _only(entry, field, ("type", "role", "content"))
    role = check_text(entry.get("role"), f"{field}.role", MAX_ROLE)
    if not role.strip() or not role.isprintable():
        raise TemplateProblem(f"{field}.role", "a role such as system, user or assistant", repr(role))
    return {"role": role, "content": check_text(entry.get("content"), f"{field}.content", MAX_CONTENT)}


def _only(entry: dict[str, Any], field: str, known: Sequence[str]) -> None:
    if strange := [name for name in entry if name not in known]:
        raise TemplateProblem(field, f"no members but {', '.join(known)}", repr(strange[0])[:100])


def _type(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__

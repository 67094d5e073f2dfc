"""A message for an incoming webhook of Slack.

`text` is what a notification shows; `blocks` is the message. All that people wrote goes into objects of the
type ``plain_text``, which have no markup; Slack's three control characters are replaced as its documentation
says (https://docs.slack.dev/messaging/formatting-message-text#escaping), so that nobody can be mentioned. A
header holds 150 characters, a section 10 fields of 2,000.
"""

from collections.abc import Sequence
from typing import Any, Final

from ops.outbox.models import OutboxEvent

from .wording import bounded, facts, title

_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_FIELDS: Final = 10


def message(event: OutboxEvent) -> dict[str, Any]:
    return compose(title(event), event.prompt_name, facts(event))


def compose(heading: str, subject: str, known: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Of a heading, what it is about, and facts with their names."""
    text = f"{heading}: {subject}" if subject else heading
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(heading, 100)}]
    if known:
        fields = [_plain(f"{name}: {value}") for name, value in known[:_FIELDS]]
        blocks.append({"type": "section", "fields": fields})
    return {"text": bounded(text, 400).translate(_ESCAPES), "mrkdwn": False, "blocks": blocks}


def _plain(text: str, length: int = 350) -> dict[str, Any]:
    return {"type": "plain_text", "text": bounded(text, length).translate(_ESCAPES), "emoji": False}

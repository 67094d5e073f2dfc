"""A message for a webhook of Discord.

`content` holds 2,000 characters, an embed's title 256, 25 fields of 256 and 1,024, and 6,000 in all
(https://discord.com/developers/docs/resources/webhook#execute-webhook). Discord reads Markdown in all of
them: what people wrote is escaped, and `allowed_mentions` lets nobody be mentioned whatever it says.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from ops.outbox.models import OutboxEvent

from .wording import bounded, facts, title

_MARKUP: Final = re.compile(r"([\\`*_~|>#\[\]()<@:.+-])")
_COLOUR: Final = 0x4F46E5
_FIELDS: Final = 12


def message(event: OutboxEvent) -> dict[str, Any]:
    return compose(title(event), event.prompt_name, facts(event), event.happened_at)


def compose(
    heading: str, subject: str, known: Sequence[tuple[str, str]], at: datetime, colour: int = _COLOUR
) -> dict[str, Any]:
    """Of a heading, what it is about, facts with their names, and when it was."""
    return {
        "content": escape(bounded(heading, 100)),
        "embeds": [
            {
                "title": escape(bounded(subject or heading, 120)),
                "color": colour,
                "timestamp": at.isoformat(),
                "fields": [
                    {"name": name, "value": escape(bounded(value, 200)), "inline": len(value) < 40}
                    for name, value in known[:_FIELDS]
                ],
            }
        ],
        "allowed_mentions": {"parse": []},
    }


def escape(text: str) -> str:
    """With a backslash before all that Discord could take for markup, a mention or a link."""
    return _MARKUP.sub(r"\\\1", text)

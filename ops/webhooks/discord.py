"""A message for a webhook of Discord.

`content` holds 2,000 characters, an embed's title 256, 25 fields of 256 and 1,024, and 6,000 in all
(https://discord.com/developers/docs/resources/webhook#execute-webhook). Discord reads Markdown in all of
them: what people wrote is escaped, and `allowed_mentions` lets nobody be mentioned whatever it says.
"""

import re
from typing import Any, Final

from ops.outbox.models import OutboxEvent

from .wording import bounded, facts, title

_MARKUP: Final = re.compile(r"([\\`*_~|>#\[\]()<@:.+-])")
_COLOUR: Final = 0x4F46E5
_FIELDS: Final = 12


def message(event: OutboxEvent) -> dict[str, Any]:
    return {
        "content": escape(bounded(title(event), 100)),
        "embeds": [
            {
                "title": escape(bounded(event.prompt_name or title(event), 120)),
                "color": _COLOUR,
                "timestamp": event.happened_at.isoformat(),
                "fields": [
                    {"name": name, "value": escape(bounded(value, 200)), "inline": len(value) < 40}
                    for name, value in facts(event)[:_FIELDS]
                ],
            }
        ],
        "allowed_mentions": {"parse": []},
    }


def escape(text: str) -> str:
    """With a backslash before all that Discord could take for markup, a mention or a link."""
    return _MARKUP.sub(r"\\\1", text)

"""What is sent of an event, by the format that a webhook chose."""

import json
from collections.abc import Callable
from typing import Any, Final

from ops.outbox.models import OutboxEvent

from . import discord, slack
from .models import Format


def body_of(event: OutboxEvent, format: str) -> bytes:
    """The same bytes each time that the same event is told."""
    text = json.dumps(_FORMATS[format](event), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")  # half of a pair of surrogates is no text to anybody


def _generic(event: OutboxEvent) -> dict[str, Any]:
    prompt = {"id": event.prompt_id, "name": event.prompt_name} if event.prompt_id else None
    actor = {"id": event.actor_id, "name": event.actor_name} if event.actor_id else None
    return {
        "id": event.pk,
        "kind": event.kind,
        "happened_at": event.happened_at.isoformat(),
        "prompt": prompt,
        "actor": actor,
        "data": event.data,
    }


_FORMATS: Final[dict[str, Callable[[OutboxEvent], dict[str, Any]]]] = {
    Format.GENERIC: _generic,
    Format.SLACK: slack.message,
    Format.DISCORD: discord.message,
}

"""An event in words, for people who read it in a chat. Nothing is escaped here: each chat has its rules."""

from typing import Any, Final

from ops.outbox.models import OutboxEvent

MAX_FACT: Final = 300
_TITLES: Final = {
    "ping": "AFN says hello",
    "prompt.created": "A prompt was created",
    "prompt.changed": "A prompt was changed",
    "prompt.deleted": "A prompt went to the trash",
    "prompt.restored": "A prompt came back from the trash",
    "prompt.purged": "A prompt was deleted for good",
    "version.created": "A new version",
    "version.deleted": "A version went to the trash",
    "version.restored": "A version came back from the trash",
    "label.moved": "A label moved",
    "label.removed": "A label was taken off",
    "split.started": "A split test began",
    "split.ended": "A split test ended",
    "evaluation.created": "An evaluation",
    "run.finished": "An evaluation run is over",
}
_SHOWN: Final = ("label", "version", "reason", "score", "status", "message")


def title(event: OutboxEvent) -> str:
    return _TITLES.get(event.kind, event.kind)


def facts(event: OutboxEvent) -> list[tuple[str, str]]:
    """Names and values, each on one line and bounded."""
    found: list[tuple[str, Any]] = [("prompt", event.prompt_name)]
    if event.kind in ("label.moved", "label.removed"):
        found.append(("versions", f"{_version(event.data.get('from'))} → {_version(event.data.get('to'))}"))
    found += [(name, event.data.get(name)) for name in _SHOWN]
    found.append(("by", event.actor_name))
    return [(name, bounded(value)) for name, value in found if value not in (None, "")]


def bounded(value: object, length: int = MAX_FACT) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _version(number: Any) -> str:
    return "none" if number is None else f"v{number}"

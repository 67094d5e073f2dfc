"""What the audit log may hold of a value: short ones as they are, others by hash and length, no secret."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from prompts.changes import digest, short

MAX_FIELDS: Final = 40
# What people wrote for models to read, and whatever may be put into JSON.
_CONTENTS: Final = {"content", "config", "variables", "placeholders", "metadata", "expected"}
_SECRET_WORDS: Final = ("password", "secret", "hash", "token", "api_key", "credential", "sealed")
CHANGED: Final = "changed"


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """By field ``[old, new]``, of those that differ; of secrets only that they changed."""
    found: dict[str, Any] = {}
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            found[name] = CHANGED if is_secret(name) else [shown(name, old), shown(name, new)]
    return found


def bounded(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of an event as they may be kept."""
    return {
        name: CHANGED if is_secret(name) else shown(name, value)
        for name, value in list(facts.items())[:MAX_FIELDS]
    }


def is_secret(name: str) -> bool:
    return any(word in name for word in _SECRET_WORDS)


def shown(name: str, value: Any) -> Any:
    if name in _CONTENTS:
        return digest(value)
    return value.isoformat() if isinstance(value, datetime) else short(value)

"""Which fields of a prompt a save has changed, as events tell it: short values, and hashes of contents."""

import hashlib
import json
from typing import Any, Final

from .models.fields import FIELDS
from .models.prompt import Prompt
from .models.versioned import VERSIONED

MAX_SHORT: Final = 200
_BY_HASH: Final = {*VERSIONED, "metadata"} - {"template_format"}
_TOLD: Final = (*FIELDS, *VERSIONED, "user_id")


def changed_fields(before: Prompt | None, after: Prompt) -> dict[str, list[Any]]:
    """``{field: [old, new]}``; of a prompt that is new there is nothing old, so nothing changed."""
    if before is None:
        return {}
    return {
        name: [_told(name, getattr(before, name)), _told(name, getattr(after, name))]
        for name in _TOLD
        if getattr(before, name) != getattr(after, name)
    }


def short(value: Any) -> Any:
    """The value, where it takes little room in JSON; else its digest."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if len(text) > MAX_SHORT:
        return digest(value)
    return value if isinstance(value, str) else json.loads(text)


def digest(value: Any) -> dict[str, Any] | None:
    """Enough to tell whether two values are the same, and how long they are; None for an empty one."""
    if not value:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return {
        "sha256": hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16],
        "length": len(text),
    }


def _told(name: str, value: Any) -> Any:
    return digest(value) if name in _BY_HASH else short(value)

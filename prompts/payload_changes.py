"""What differs between two versions beside their content."""

from collections.abc import Iterator
from typing import Any

from .models import Payload
from .three_way import MISSING, is_same


def list_changes(old: Payload, new: Payload) -> list[dict[str, Any]]:
    """Members of config and variables, and the template format, by their path; what is not there is None."""
    return [
        {"field": path, "from": _shown(before), "to": _shown(after)}
        for name in ("config", "variables", "template_format")
        for path, before, after in _changes(name, getattr(old, name), getattr(new, name))
    ]


def _changes(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if is_same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(name for name in new if name not in old)]:
            yield from _changes(f"{path}.{name}", old.get(name, MISSING), new.get(name, MISSING))
    else:
        yield path, old, new


def _shown(value: Any) -> Any:
    return None if value is MISSING else value

"""Items of datasets as pages show them."""

import json
from dataclasses import dataclass
from typing import Any, Final

from ..models import DatasetItem

_LENGTH: Final = 4_000  # characters of a value


@dataclass(frozen=True, slots=True)
class ShownItem:
    """``inputs`` by name, placeholders after variables; ``expected`` is None where nothing is said."""

    key: str
    inputs: list[tuple[str, str]]
    expected: str | None


def shown(item: DatasetItem | None) -> ShownItem | None:
    if item is None:
        return None
    inputs = {**_members(item.variables), **_members(item.placeholders)}
    expected = None if item.expected is None else _text(item.expected)
    return ShownItem(item.key, [(name, _text(value)) for name, value in inputs.items()], expected)


def _members(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…"

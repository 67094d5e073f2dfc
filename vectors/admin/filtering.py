"""What people type to narrow items down: ``status:active tags:chat``, or a filter in full, as JSON."""

from __future__ import annotations

import json
import shlex
from typing import Any

from vectors.errors import InvalidFilter, shown


def parse_filter(text: str) -> dict[str, Any] | None:
    """The filter that is meant, None where nothing is typed; raises InvalidFilter.

    A value is a number, ``true``, ``false`` or ``null`` where it reads as one, else text; quotes hold spaces
    together.
    """
    text = text.strip()
    if not text:
        return None
    if text.startswith("{"):
        return _as_json(text)
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InvalidFilter("filter", "quotes in pairs", shown(text)) from error
    pairs = [_pair(word) for word in words]
    return pairs[0] if len(pairs) == 1 else {"and": pairs}


def _as_json(text: str) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidFilter("filter", "a JSON object, or field:value", shown(text)) from error
    return value


def _pair(word: str) -> dict[str, Any]:
    name, colon, value = word.partition(":")
    if not name or not colon:
        raise InvalidFilter("filter", "field:value, such as lang:en", shown(word))
    return {name: _value(value)}


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, dict | list | str) else value

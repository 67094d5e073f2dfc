"""Collections that another app keeps in step with its own rows: nobody else may write to them."""

from __future__ import annotations

_reasons: dict[str, str] = {}


def manage(name: str, reason: str) -> None:
    """Declare that the collection `name` is written by its app alone; `reason` says what to do instead."""
    _reasons[name] = reason


def refusal(name: str) -> str:
    """Why the collection `name` cannot be changed from outside; empty where it can."""
    return f"The collection {name!r} cannot be changed here. {_reasons[name]}" if name in _reasons else ""

"""An event as it is kept and sent: a kind, a moment, and a little JSON without contents or secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

MAX_BYTES: Final = 4_000
_ID: Final = re.compile(r"(\d{1,15})-(\d{1,10})")
# The stream's first entry, so that there is an id to go on from. Clients never see it.
ANCHOR: Final = ""

Order = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Event:
    """``body`` is JSON: kind, moment and data."""

    id: str
    kind: str
    body: str

    @property
    def order(self) -> Order:
        return order_of(self.id)

    @property
    def text(self) -> str:
        """As clients get it."""
        return f'{{"type":"event","id":"{self.id}",{self.body[1:]}'


def order_of(event_id: str) -> Order:
    """Ids in the order in which things happened. Raises ``ValueError``."""
    if not (match := _ID.fullmatch(event_id)):
        raise ValueError(f"id: expected one of an event, such as 1700000000000-0, got {event_id[:64]!r}.")
    return int(match[1]), int(match[2])


def render(kind: str, data: Mapping[str, Any], at: datetime) -> str:
    """The body; of data that are too large the smallest are kept, and `truncated` says so."""
    body = _json({"kind": kind, "at": at.isoformat(), "data": data})
    if len(body.encode()) <= MAX_BYTES:
        return body
    kept: dict[str, Any] = {"truncated": True}
    left = MAX_BYTES - 200
    for name, text in sorted(
        ((name, _json(value)) for name, value in data.items()), key=lambda one: len(one[1])
    ):
        left -= len(name.encode()) + len(text.encode()) + 8
        if left < 0:
            break
        kept[name] = data[name]
    return _json({"kind": kind, "at": at.isoformat(), "data": kept})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)

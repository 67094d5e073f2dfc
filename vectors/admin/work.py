"""What takes long and is started from a collection's pages. This app has no queue: whoever has one offers it.

Where nobody does, pages name the command that does the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.utils.translation import gettext

OPEN = ("waiting", "running")


@dataclass(frozen=True, slots=True)
class Work:
    """The last time something was done: ``state`` is waiting, running, succeeded, failed or cancelled."""

    state: str
    done: int = 0
    total: int | None = None
    message: str = ""
    cause: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    finished_at: datetime | None = None
    url: str = ""  # of a page that says more, to whom it may be shown

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def shown_message(self) -> str:
        """In the reader's language, where whoever does it has marked the message for that."""
        return gettext(self.message) if self.message else ""


class Background(Protocol):
    def start(self, kind: str, arguments: Mapping[str, Any], user: Any) -> None:
        """Have it done; what is open is not started again. Raises ``VectorError``."""

    def last(self, kind: str, collection: str, user: Any) -> Work | None:
        """What was started last of this kind, for this collection."""


_offered: list[Background] = []


def offer(background: Background) -> None:
    _offered[:] = [background]


def background() -> Background | None:
    return _offered[0] if _offered else None


def last(kind: str, collection: str, user: Any) -> Work | None:
    offered = background()
    return offered.last(kind, collection, user) if offered else None

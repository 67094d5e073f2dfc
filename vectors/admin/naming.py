"""How an application that keeps a collection would have its items shown: here they are but keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Values = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Group:
    """What items can be told apart by, beside their metadata: ``of`` keys, the values of each."""

    title: Any
    of: Callable[[Sequence[str]], Values]


@dataclass(frozen=True, slots=True)
class Naming:
    """``permission`` is what it takes to see the items, beside that to see collections. ``url`` leads from a
    key to the item's own page. ``fields`` are the titles of the metadata that the map is coloured by.
    """

    permission: str = ""
    url: Callable[[str], str] | None = None
    groups: Mapping[str, Group] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)

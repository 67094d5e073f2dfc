"""What an address of the search page asks for, and the addresses that differ from it in one thing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from django.http import QueryDict

from vectors.errors import InvalidQuery, shown

from ...search import PromptSearch, search_prompts

# In the order in which the page offers them. Of tags there may be several.
FILTERS: Final = ("status", "label", "tag", "folder", "language", "owner", "score")
MANY: Final = ("tag",)
DEFAULT_MODE: Final = "hybrid"
DEFAULT_K: Final = "10"
_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)


@dataclass(frozen=True)
class Asked:
    """Texts as they were given: what they may be is decided by the search itself."""

    query: str = ""
    mode: str = DEFAULT_MODE
    k: str = DEFAULT_K
    like: str = ""
    filters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, given: QueryDict) -> "Asked":
        def one(name: str, otherwise: str = "") -> str:
            return str(given.get(name) or otherwise)

        filters: list[tuple[str, str]] = []
        for name in FILTERS:
            values = dict.fromkeys(value for value in given.getlist(name) if value)
            filters += [(name, value) for value in (values if name in MANY else [*values][-1:])]
        return cls(
            query=one("q").strip(),
            mode=one("mode", DEFAULT_MODE),
            k=one("k", DEFAULT_K),
            like=one("like"),
            filters=tuple(filters),
        )

    def __bool__(self) -> bool:
        """Is there anything to look for?"""
        return bool(self.query or self.like)

    @property
    def state(self) -> Iterator[tuple[str, str]]:
        """What the form has to send beside the box and the mode."""
        if self.like:
            yield "like", self.like
        if self.k != DEFAULT_K:
            yield "k", self.k
        yield from self.filters

    @property
    def address(self) -> str:
        mode = [("mode", self.mode)] if self.mode != DEFAULT_MODE else []
        query = [("q", self.query)] if self.query else []
        return "?" + urlencode([*query, *mode, *self.state])

    def values(self, name: str) -> list[str]:
        return [value for one, value in self.filters if one == name]

    def but(self, **changes: Any) -> "Asked":
        return replace(self, **changes)

    def with_filter(self, name: str, value: str) -> "Asked":
        kept = [one for one in self.filters if one != (name, value) and (name in MANY or one[0] != name)]
        filters = sorted([*kept, (name, value)], key=lambda one: FILTERS.index(one[0]))
        return self.but(filters=tuple(filters))

    def without_filter(self, name: str, value: str) -> "Asked":
        return self.but(filters=tuple(one for one in self.filters if one != (name, value)))

    def search(self) -> PromptSearch:
        """Raises ``VectorError`` for what is wrong."""
        filters: dict[str, Any] = {name: value for name, value in self.filters if name not in MANY}
        filters |= {name: values for name in MANY if (values := self.values(name))}
        if "score" in filters:
            filters["score"] = _number(filters["score"])
        mode = self.mode
        if self.like:  # without words beside it there is nothing else to go by
            mode = "hybrid" if self.query else "semantic"
        k: Any = int(self.k) if self.k.isascii() and self.k.isdigit() and len(self.k) < 10 else self.k
        return search_prompts(self.query or None, k=k, mode=mode, like=self.like or None, **filters)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise InvalidQuery("score", "a number from 0 to 1", shown(text))
    return float(text)


def larger(k: str, steps: Sequence[int], shown_now: int) -> int | None:
    """How many results to offer next, if there may be more than are shown now."""
    if not k.isdigit() or shown_now < int(k):
        return None
    return next((step for step in steps if step > int(k)), None)

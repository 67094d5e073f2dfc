"""Kinds of events: who may hear of them, and how clients choose among them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vectors.permissions import READING

# By the part before the dot: the permission that it takes.
AREAS: Final = {
    "prompt": READING,
    "version": READING,
    "label": READING,
    "split": READING,
    "evaluation": READING,
    "run": READING,
    "job": "ops.view_job",
    "backup": "ops.view_job",
    "environment": "ops.view_environment",
    "alert": "ops.view_alert",
}
MAX_PATTERNS: Final = 32
_KIND: Final = re.compile(r"[a-z]{1,20}\.[a-z_]{1,40}")
_PATTERN: Final = re.compile(r"\*|[a-z]{1,20}\.(\*|[a-z_]{1,40})")


def check_kind(kind: str) -> str:
    """Raises ``ValueError``."""
    if not _KIND.fullmatch(kind) or area_of(kind) not in AREAS:
        raise ValueError(f"kind: expected one of {_known()}, such as prompt.changed, got {kind[:64]!r}.")
    return kind


def area_of(kind: str) -> str:
    return kind.partition(".")[0]


def may_hear(kind: str, permissions: frozenset[str]) -> bool:
    """Of a kind that nobody knows here, as a newer version may send, nobody hears."""
    needed = AREAS.get(area_of(kind))
    return needed is not None and needed in permissions


@dataclass(frozen=True, slots=True)
class Filter:
    """Which kinds a client wants: `prompt.created`, `job.*`, or `*` for all that it may hear of."""

    patterns: tuple[str, ...] = ("*",)

    @classmethod
    def read(cls, wanted: Iterable[str]) -> Filter:
        """Raises ``ValueError``. None at all are all."""
        patterns = tuple(dict.fromkeys(one.strip() for one in wanted if one.strip()))
        if len(patterns) > MAX_PATTERNS:
            raise ValueError(f"kinds: expected at most {MAX_PATTERNS}, got {len(patterns)}.")
        for one in patterns:
            if not _PATTERN.fullmatch(one) or (one != "*" and area_of(one) not in AREAS):
                raise ValueError(
                    f"kinds: expected kinds such as prompt.created, job.* or * of {_known()}, "
                    f"got {one[:64]!r}."
                )
        return cls(patterns or ("*",))

    def wants(self, kind: str) -> bool:
        return any(one in ("*", kind) or one == f"{area_of(kind)}.*" for one in self.patterns)


def _known() -> str:
    return ", ".join(AREAS)

"""What a Redis holds, by the beginnings of the names of its keys: a sample, read within a moment.

Never a value. Parts of names that may be an id, a hash or anybody's text are shown as `*`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from redis.exceptions import NoPermissionError

SECONDS: Final = 0.4
MOST_KEYS: Final = 20_000
_AT_ONCE: Final = 1_000
_WEIGHED: Final = 200  # keys of which memory and lifetime are asked
_SHOWN: Final = 12
_PARTS: Final = 3
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z_.-]{0,23}[0-9]{0,2}|[0-9]{1,2}")
# Of Celery, whose names are not its own parts joined by colons.
_CELERY: Final = (
    (re.compile(r"_kombu\.binding.*"), "_kombu.binding*"),
    (re.compile(r"celery-task-meta-.*"), "celery-task-meta-*"),
    (re.compile(r".*\.reply\.celery\.pidbox.*"), "*.reply.celery.pidbox"),
    (re.compile(r"unacked.*"), "unacked*"),
)


class NotAllowed(Exception):
    """AFN's user of this Redis may not list names of keys."""


@dataclass(slots=True)
class Prefix:
    """``count`` keys of the sample; ``weighed`` of them were asked for their ``bytes`` and lifetime."""

    name: str
    count: int = 0
    weighed: int = 0
    bytes: int = 0
    expiring: int = 0
    names: list[str] = field(default_factory=list)

    @property
    def mean_bytes(self) -> float | None:
        return self.bytes / self.weighed if self.weighed else None

    @property
    def expiring_share(self) -> float | None:
        return self.expiring / self.weighed if self.weighed else None


@dataclass
class Sample:
    """Of ``total`` keys ``seen`` were read; ``prefixes`` by their number, the rest as `…`."""

    total: int
    seen: int
    prefixes: list[Prefix]
    seconds: float

    @property
    def is_whole(self) -> bool:
        return self.seen >= self.total

    def estimate(self, prefix: Prefix) -> int:
        """How many there are of it in all."""
        return prefix.count if self.is_whole else round(self.total * prefix.count / max(1, self.seen))

    def share(self, prefix: Prefix) -> float:
        return prefix.count / max(1, self.seen)

    def estimated_bytes(self, prefix: Prefix) -> int | None:
        mean = prefix.mean_bytes
        return None if mean is None else round(mean * self.estimate(prefix))

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "name": one.name,
                "count": self.estimate(one),
                "share": 100 * self.share(one),
                "expiring": None if one.expiring_share is None else 100 * one.expiring_share,
                "bytes": self.estimated_bytes(one),
            }
            for one in self.prefixes
        ]


def sample(client: Any, total: int, *, seconds: float = SECONDS, most: int = MOST_KEYS) -> Sample:
    """Of a server that has `total` keys. Ends after so long, or so many keys, whatever comes first. Raises
    ``NotAllowed``, and what redis-py raises."""
    started = time.monotonic()
    found: dict[str, Prefix] = {}
    seen, cursor, random = 0, 0, Random(0)  # noqa: S311 - which keys are weighed is no secret
    try:
        while True:
            cursor, names = client.scan(cursor, count=_AT_ONCE)
            for name in names:
                seen += 1
                prefix = found.setdefault(beginning(name), Prefix(beginning(name)))
                prefix.count += 1
                _keep(prefix, name, random)
            if not cursor or seen >= most or time.monotonic() - started > seconds:
                break
        prefixes = _largest(found.values())
        _weigh(client, prefixes)
    except NoPermissionError as error:
        raise NotAllowed from error
    return Sample(max(total, seen) if cursor else seen, seen, prefixes, time.monotonic() - started)


def beginning(name: str) -> str:
    """The first parts of a name: those that are words, `*` for the others."""
    for pattern, known in _CELERY:
        if pattern.fullmatch(name):
            return known
    parts = name.split(":")
    shown = [part if _WORD.fullmatch(part) else "*" for part in parts[:_PARTS]]
    while len(shown) > 1 and shown[-1] == shown[-2] == "*":
        shown.pop()
    if len(parts) > _PARTS and shown[-1] != "*":
        shown.append("*")
    return ":".join(shown)


def _keep(prefix: Prefix, name: str, random: Random) -> None:
    """A fair choice of its keys, however many come."""
    if len(prefix.names) < _WEIGHED // _SHOWN:
        prefix.names.append(name)
    elif (place := random.randrange(prefix.count)) < len(prefix.names):
        prefix.names[place] = name


def _largest(prefixes: Iterable[Prefix]) -> list[Prefix]:
    ordered = sorted(prefixes, key=lambda one: (-one.count, one.name))
    if len(ordered) <= _SHOWN:
        return ordered
    rest = Prefix("…")
    for one in ordered[_SHOWN - 1 :]:
        rest.count += one.count
        rest.names += one.names[:1]
    rest.names = rest.names[: _WEIGHED // _SHOWN]
    return [*ordered[: _SHOWN - 1], rest]


def _weigh(client: Any, prefixes: list[Prefix]) -> None:
    """Memory and lifetime of the chosen keys, in one round trip."""
    chosen = [(prefix, name) for prefix in prefixes for name in prefix.names]
    pipeline = client.pipeline(transaction=False)
    for _, name in chosen:
        pipeline.memory_usage(name, samples=5)
        pipeline.pttl(name)
    answers = iter(pipeline.execute())
    for (prefix, _), size, left in zip(chosen, answers, answers, strict=False):
        if size is None:  # gone meanwhile
            continue
        prefix.weighed += 1
        prefix.bytes += int(size)
        prefix.expiring += int(left) >= 0

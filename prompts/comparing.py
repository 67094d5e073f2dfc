"""What two databases have of each other's prompts.

A prompt is the same in both where its id is: a fork copies ids, and renaming keeps them. A name is unique in
a database, so that prompts of one name, made apart in each, are one prompt as well; their versions have no
common one then, unless both histories begin with the same contents.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from .database_pairs import Database, MergeProblem, check_pair
from .histories import relate
from .models.fields import FIELDS
from .states import Entry, PromptState, ids_by_name, iterate_states
from .three_way import is_same

Pair = tuple[PromptState | None, PromptState | None]
_SHOWN = 10  # names in an error


class UnknownPrompts(MergeProblem):
    """There are no prompts of these ``names``."""

    def __init__(self, names: Collection[str], where: str) -> None:
        self.names = sorted(names)
        listed = ", ".join(repr(name[:100]) for name in self.names[:_SHOWN])
        more = f" and {len(self.names) - _SHOWN} more" if len(self.names) > _SHOWN else ""
        super().__init__(f"names: expected names of prompts in {where}, got {listed}{more}.")


@dataclass(frozen=True, slots=True)
class PromptSummary:
    id: str
    name: str
    title: str
    versions: int

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "title": self.title, "versions": self.versions}


@dataclass(frozen=True, slots=True)
class Difference:
    """A prompt that both have, but not alike.

    ``differing`` names what is not the same now: ``content``, ``title``, …; ``only_left`` and ``only_right``
    are versions. ``common`` is the newest version that both have, with its number in each; None where the
    prompts were made apart.
    """

    left: PromptSummary
    right: PromptSummary
    differing: tuple[str, ...]
    only_left: tuple[Entry, ...]
    only_right: tuple[Entry, ...]
    common: tuple[int, int] | None

    def as_json(self) -> dict[str, Any]:
        return {
            "left": self.left.as_json(),
            "right": self.right.as_json(),
            "differing": list(self.differing),
            "only_left": [_version(entry) for entry in self.only_left],
            "only_right": [_version(entry) for entry in self.only_right],
            "common": {"left": self.common[0], "right": self.common[1]} if self.common else None,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """By name; ``same`` counts the prompts that are alike on both sides, histories included."""

    left: str
    right: str
    only_left: tuple[PromptSummary, ...]
    only_right: tuple[PromptSummary, ...]
    differing: tuple[Difference, ...]
    same: int

    @property
    def is_same(self) -> bool:
        return not (self.only_left or self.only_right or self.differing)

    def as_json(self) -> dict[str, Any]:
        return {
            "left": self.left,
            "right": self.right,
            "only_left": [one.as_json() for one in self.only_left],
            "only_right": [one.as_json() for one in self.only_right],
            "differing": [one.as_json() for one in self.differing],
            "same": self.same,
        }


def compare_databases(
    left: str,
    right: str,
    names: Collection[str] | None = None,
    *,
    left_name: str = "",
    right_name: str = "",
) -> Comparison:
    """Compare the prompts of two databases, given by alias, or those of these names.

    Contents stay where they are: hashes are compared, and memory grows with what differs only. Neither
    database is locked; what is saved meanwhile may be seen or not. Result and messages call the databases
    `left_name` and `right_name`, by default by their aliases. Raises ``MergeProblem``.
    """
    here, there = Database(left, left_name), Database(right, right_name)
    check_pair(here, there)
    ids = None if names is None else find_ids(here, there, names)
    only_left: list[PromptSummary] = []
    only_right: list[PromptSummary] = []
    differing: list[Difference] = []
    same = 0
    for mine, other in pair(left, right, ids):
        if mine and other:
            difference = _difference(mine, other)
            differing += [difference] if difference else []
            same += difference is None
        elif mine:
            only_left.append(_summary(mine))
        elif other:
            only_right.append(_summary(other))
    return Comparison(
        str(here),
        str(there),
        tuple(sorted(only_left, key=attrgetter("name"))),
        tuple(sorted(only_right, key=attrgetter("name"))),
        tuple(sorted(differing, key=attrgetter("left.name"))),
        same,
    )


def find_ids(left: Database, right: Database, names: Collection[str]) -> set[str]:
    """The ids that prompts of these names have on either side; raises ``UnknownPrompts``."""
    here, there = ids_by_name(left.alias, names), ids_by_name(right.alias, names)
    if unknown := set(names) - set(here) - set(there):
        raise UnknownPrompts(unknown, f"{left} or {right}")
    return {*here.values(), *there.values()}


def pair(left: str, right: str, ids: Collection[str] | None = None) -> Iterator[Pair]:
    """Each prompt of both databases once, with its counterpart or None: first by id, the rest by name."""
    mine, others = iterate_states(left, ids), iterate_states(right, ids)
    here, there = next(mine, None), next(others, None)
    alone: list[PromptState] = []
    by_name: dict[str, PromptState] = {}
    while here or there:
        if here and there and here.id == there.id:
            yield here, there
            here, there = next(mine, None), next(others, None)
        elif here and (there is None or here.id < there.id):
            alone.append(here)
            here = next(mine, None)
        elif there:
            by_name[there.name] = there
            there = next(others, None)
    for state in alone:
        yield state, by_name.pop(state.name, None)
    yield from ((None, state) for state in by_name.values())


def _difference(left: PromptState, right: PromptState) -> Difference | None:
    forth = relate(left.versions, right.versions, (left.id, right.id))
    back = relate(right.versions, left.versions, (right.id, left.id))
    differing = _differing(left, right)
    if not (differing or forth.missing or back.missing):
        return None
    return Difference(
        _summary(left),
        _summary(right),
        differing,
        forth.missing,
        back.missing,
        (forth.base.number, forth.base_there.number) if forth.base and forth.base_there else None,
    )


def _differing(left: PromptState, right: PromptState) -> tuple[str, ...]:
    """What is not the same now. Whatever else a prompt will have, such as labels, joins its state and is
    compared here.
    """
    differing = ["content"] * (left.content_hash != right.content_hash)
    differing += [name for name in FIELDS if not is_same(left.fields[name], right.fields[name])]
    return tuple(differing)


def _summary(state: PromptState) -> PromptSummary:
    return PromptSummary(state.id, state.name, str(state.fields["title"]), len(state.versions))


def _version(entry: Entry) -> dict[str, Any]:
    return {"version": entry.number, "id": entry.id, "content_hash": entry.digest}

"""What two histories of one prompt have in common."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from .states import Entry


@dataclass(frozen=True, slots=True)
class Relation:
    """One history seen from another: ``known`` leads from the ids of entries that the other has too, to
    their ids there; ``missing`` are those that it has not; ``base`` is the newest known one, ``base_there``
    the same in the other.
    """

    known: dict[str, str]
    missing: tuple[Entry, ...]
    base: Entry | None
    base_there: Entry | None


def id_of_copy(prompt_id: str, entry_id: str) -> str:
    """The id that a prompt's copy of an entry gets where another prompt of that database has its own. It
    follows from both, so that the next merge knows the copy again.
    """
    return hashlib.sha256(f"{prompt_id} {entry_id}".encode()).hexdigest()[:32]


def relate(history: Sequence[Entry], other: Sequence[Entry], prompt_ids: tuple[str, str]) -> Relation:
    """Entries are the same where id and digest are: copies of a database share them, and merges keep them,
    or make an id of them and that of the prompt. `prompt_ids` are whose histories they are.

    So are those with which both histories begin, as long as their digests are equal: two databases that
    were filled from the same file have them under different ids.
    """
    here, there = prompt_ids
    known = {id_of_copy(here, entry.id): entry for entry in other} | {entry.id: entry for entry in other}
    same: dict[str, Entry] = {}
    beginning = takewhile(lambda pair: pair[0].digest == pair[1].digest, zip(history, other, strict=False))
    same |= {mine.id: theirs for mine, theirs in beginning}
    for entry in history:
        counterpart = known.get(entry.id) or known.get(id_of_copy(there, entry.id))
        if counterpart and counterpart.digest == entry.digest:
            same[entry.id] = counterpart
    base = next((entry for entry in reversed(history) if entry.id in same), None)
    return Relation(
        known={key: entry.id for key, entry in same.items()},
        missing=tuple(entry for entry in history if entry.id not in same),
        base=base,
        base_there=same[base.id] if base else None,
    )

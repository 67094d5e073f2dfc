"""Does a restored database hold what its backup says? Every row, every search, and no broken reference.

A backup may be anybody's: a public key is enough to make one. What is defined in it is looked at first, since
libSQL has functions that read and write files or run SQL from a text, and a constraint that calls one does so
while it is checked, or while rows are written to a server.
"""

import re
import time
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connections

from ops.snapshots import violations

from . import fingerprints, manifest, probes
from .making import Progress, silent
from .manifest import Manifest

# Quotes may stand around a name, but nothing within it; in a text that is run as SQL anything may.
_DANGEROUS: Final = re.compile(
    r"readfile|writefile|fsdir|load_extension|fts3_tokenizer|sha3_query|rtreecheck", re.IGNORECASE
)
_MAX_TEXT: Final = 300


@dataclass
class Proof:
    """What was compared: ``counts`` tables whose rows were counted, ``hashes`` of them that were hashed,
    ``probes`` searches that were asked again. ``problems`` is empty where all is as it was."""

    counts: int = 0
    hashes: int = 0
    probes: int = 0
    rows: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "counts": self.counts,
            "hashes": self.hashes,
            "probes": self.probes,
            "rows": self.rows,
            "seconds": round(self.seconds, 3),
            "problems": self.problems,
        }


def prove(alias: str, expected: Manifest, progress: Progress = silent) -> Proof:
    """Compare the database `alias` with what its backup says. Nobody may be writing to it."""
    started, rows, total = time.monotonic(), 0, manifest.rows(expected.tables)

    def told(count: int) -> None:
        nonlocal rows
        rows += count
        progress("Comparing", rows, total)

    if found_traps := traps(alias):
        return Proof(problems=found_traps)
    found = fingerprints.take(alias, told)
    proof = Proof(counts=len(found), hashes=len(found), probes=len(expected.probes), rows=rows)
    problems = fingerprints.differences(expected.tables, found)
    if fingerprints.schema_hash(alias) != expected.schema:
        problems.append("The definitions of tables, indexes or triggers are not those of the backup")
    problems += violations(alias)
    problems += probes.differences(expected.probes, alias)
    proof.problems = [_printable(text) for text in problems]
    proof.seconds = time.monotonic() - started
    return proof


def traps(alias: str) -> list[str]:
    """What of its definitions would do more than compute a value: nothing of them may be evaluated then.

    Those with names of the engine's own count as well.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY 1")
        found = [what for what, sql in cursor.fetchall() if _DANGEROUS.search(sql)]
    return [_printable(f"{what} calls a function that is for files, or runs SQL") for what in found]


def _printable(text: str) -> str:
    """Names in it are from the backup, and a terminal would obey what is no letter."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_MAX_TEXT])

"""Does a restored database hold what its backup says? Every row, every search, and no broken reference.

A backup may be anybody's: a public key is enough to make one. What is defined in it is looked at first, since
libSQL has functions that read and write files, and a constraint that calls one does so while it is checked.
"""

import re
import time
from dataclasses import dataclass, field
from typing import Any, Final

from ops.snapshots import read_schema, violations

from . import fingerprints, manifest, probes
from .making import Progress, silent
from .manifest import Manifest

# Quotes may stand around a name, but nothing within it.
_DANGEROUS: Final = re.compile(r"readfile|writefile|load_extension|fts3_tokenizer", re.IGNORECASE)
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

    dangerous = sorted(what for what, sql in read_schema(alias).items() if _DANGEROUS.search(sql))
    if dangerous:
        return Proof(
            problems=[_printable(f"{what} calls a function that is for files") for what in dangerous]
        )
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


def _printable(text: str) -> str:
    """Names in it are from the backup, and a terminal would obey what is no letter."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_MAX_TEXT])

"""Does a restored database hold what its backup says? Every row, every search, and no broken reference."""

import time
from dataclasses import dataclass, field
from typing import Any

from ops.snapshots import violations

from . import fingerprints, manifest, probes
from .making import Progress, silent
from .manifest import Manifest


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

    found = fingerprints.take(alias, told)
    proof = Proof(counts=len(found), hashes=len(found), probes=len(expected.probes), rows=rows)
    proof.problems += fingerprints.differences(expected.tables, found)
    if fingerprints.schema_hash(alias) != expected.schema:
        proof.problems.append("The definitions of tables, indexes or triggers are not those of the backup")
    proof.problems += violations(alias)
    proof.problems += probes.differences(expected.probes, alias)
    proof.seconds = time.monotonic() - started
    return proof

"""A drill: a backup is restored into an environment of its own, compared with what it says, and removed.

A backup that was never restored is a hope. What a drill found is kept (`BackupDrill`), so that the console
and the health checks can say when a backup was last proved.
"""

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ops.environments.base import Provider
from ops.environments.opening import opened
from ops.environments.temporary import clear_left, loaded

from . import folder, manifest
from .errors import BackupProblem, NotProved
from .making import Progress, silent
from .models import BackupDrill
from .names import BackupName
from .proving import Proof, prove
from .restoring import check_suitable, traps_in
from .staging import staging
from .unpacking import unpack

logger = logging.getLogger(__name__)
PURPOSE: Final = "drill"


@dataclass
class Drill:
    """What a drill of one backup came to. ``seconds`` is how long a restore would take."""

    backup: str
    sha256: str
    proof: Proof = field(default_factory=Proof)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.proof.ok

    def as_json(self) -> dict[str, Any]:
        return {
            **self.proof.as_json(),
            "seconds": round(self.seconds, 3),
            "backup": self.backup,
            "sha256": self.sha256,
            "notes": self.notes,
        }


def drill(provider: Provider, file: Path, progress: Progress = silent) -> Drill:
    """Restore a backup beside the live database, compare, and remove it again, whatever happens.

    What is wrong with the backup is in the proof, and the drill is kept either way. Raises
    ``EnvironmentProblem`` for what is wrong with the place that it is tried in.
    """
    started = time.monotonic()
    found = Drill(file.name, folder.sha256(file))
    found.notes += clear_left(provider, PURPOSE, lambda step: progress(step, 0, 0))
    try:
        with staging(folder.folder()) as place:
            database = place / manifest.DATABASE
            unpacked = unpack(file, database, progress)
            check_suitable(unpacked.about, provider, migrate=True)
            if problems := traps_in(provider, database):
                raise NotProved("; ".join(problems))
            with loaded(provider, PURPOSE, database, found.notes) as name, opened(provider, name) as alias:
                found.proof = prove(alias, unpacked.manifest, progress)
    except BackupProblem as problem:
        found.proof.problems.append(str(problem))
    found.seconds = time.monotonic() - started
    _keep(found)
    return found


def last_proved() -> BackupDrill | None:
    """The latest drill that found all as it was backed up."""
    return BackupDrill.objects.filter(ok=True).order_by("-created_at").first()


def _keep(found: Drill) -> None:
    name = BackupName.read(found.backup)
    BackupDrill.objects.create(
        backup=found.backup[:200],
        backup_created_at=name.moment if name else None,
        sha256=found.sha256,
        ok=found.ok,
        tables=found.proof.counts,
        rows=found.proof.rows,
        probes=found.proof.probes,
        seconds=found.seconds,
        problems=found.proof.problems[:100],
    )
    level = logging.INFO if found.ok else logging.ERROR
    logger.log(
        level, "Drill of %s: %s", found.backup, "proved" if found.ok else "; ".join(found.proof.problems[:3])
    )

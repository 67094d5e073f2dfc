"""One examination: what it looks at, what it may take, and that its failure is a finding of its own."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import connections
from django.utils import timezone

from ops.jobs.causes import cause_of

from .findings import Finding, Notes
from .reading import Entry, read_only, unopened

TIMEOUT: Final = 10.0  # seconds, of an examination that says nothing else
_FAILED: Final = "What it would have told is not known, and what it stumbled over may be the trouble itself."
_LATE: Final = "What answers so late keeps requests waiting as well."


@dataclass(slots=True)
class Case:
    """What is examined: the database `entry` of ``DATABASES`` at the moment `now`. `deep` takes longer, and
    may ask services that cost money. `traced` is told where in the code an examination failed."""

    entry: Entry
    deep: bool = False
    now: datetime = field(default_factory=timezone.now)
    traced: Callable[[str], None] = lambda text: None

    @property
    def target(self) -> Any:
        """Where the database lives: a file or a server."""
        return unopened(self.entry).target

    @property
    def file(self) -> Path | None:
        """The database's file; None for a server."""
        target = self.target
        return None if target.is_remote else Path(target.file)


@dataclass(frozen=True, slots=True)
class Examination:
    """`needs_database`: there is nothing to say where that cannot be read. `deep_timeout` holds for a deep
    one."""

    area: str
    name: str
    look: Callable[[Notes, Case], None]
    timeout: float = TIMEOUT
    deep_timeout: float = 0.0
    needs_database: bool = False

    def run(self, case: Case) -> list[Finding]:
        """In a thread with a connection of its own, which is left behind where it takes too long.

        The binding of libSQL files keeps the interpreter to itself during a statement: one that lasts is
        waited for, however long.
        """
        notes = Notes(self.area)
        thread = threading.Thread(
            target=self._look, args=(notes, case), name=f"doctor {self.name}", daemon=True
        )
        timeout = max(self.timeout, self.deep_timeout) if case.deep else self.timeout
        started = time.monotonic()
        thread.start()
        thread.join(timeout)
        found = Notes(self.area, list(notes.findings))
        if thread.is_alive():
            found.problem(
                self.name,
                f"no answer within {time.monotonic() - started:.0f} s",
                _LATE,
                f"Run `manage.py doctor --only {self.area}` again when there is less load; look at what it "
                "asks: its log, and its machine.",
            )
        return found.findings

    def _look(self, notes: Notes, case: Case) -> None:
        try:
            with read_only(case.entry):
                self.look(notes, case)
        except Exception as error:  # noqa: BLE001 - any failure at all is a finding
            case.traced(traceback.format_exc())
            notes.problem(
                self.name,
                f"this could not be looked at ({cause_of(error)})",
                _FAILED,
                f"`manage.py doctor --only {self.area} --traceback` repeats it with the place in the code.",
            )
        finally:
            connections.close_all()

"""Celery's scheduler over schedules in the database, of which one at a time is at work.

Any number may run, with and without Redis: one of them holds a lease in the database
(`ops.scheduling.lease`), and the others wait. When a schedule ran last stands in its row, and is written
after what was due is begun: who dies in between leaves that to the next one, and a job is still started once
for each moment.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from typing import Any, Final

from django.db import DatabaseError, InterfaceError, close_old_connections, connections
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from ops.scheduling.lease import Lease
from ops.scheduling.moments import due_after
from prompts.queueing import enqueue

logger = logging.getLogger(__name__)
START_JOB: Final = "ops.tasks.start_job"
# Done here where no worker can be told: that the queue is down is one of the things it tells.
_WITHOUT_QUEUE: Final = "ops.tasks.watch_alerts"


class DueEntry(ModelEntry):
    """A schedule, as it was read."""

    def due_at(self) -> datetime:
        """The moment after its last run at which it was due: of all who read the same row the same one."""
        return due_after(self.schedule, self.last_run_at)

    def save(self) -> None:
        """When it ran last, and nothing else of the row, which an operator may be changing."""
        type(self.model)._default_manager.filter(pk=self.model.pk).update(
            last_run_at=self.model.last_run_at, total_run_count=self.model.total_run_count
        )


class OneBeat(DatabaseScheduler):
    """Celery makes it by the name in CELERY_BEAT_SCHEDULER."""

    Entry = DueEntry
    # Its own connection to the broker, for which it would wait while that is down: `enqueue` has one.
    producer: Any = None

    def __init__(self, *args: Any, lease: Lease | None = None, **options: Any) -> None:
        self._lease = lease or Lease()
        self._is_waiting = self._is_failing = False
        self._busy: set[str] = set()
        super().__init__(*args, **options)

    def setup_schedule(self) -> None:
        """Nothing is written here: what recurs is what the database says."""

    def enabled_models_qs(self) -> Any:
        """All of them, for there are few; Django's scheduler would guess which are due within hours."""
        return self.Model.objects.enabled().select_related("interval", "crontab", "solar", "clocked")

    def tick(self, *args: Any, **options: Any) -> float:
        """Do one thing that is due; returns how many seconds to wait."""
        close_old_connections()  # no request ends here, and a restore may have replaced the file
        try:
            if not self._lease.take():
                self._wait()
                return float(self.max_interval)
            if self._is_waiting:
                logger.info("The schedules are followed by this process from now on")
                self._is_waiting = False
            wait = float(super().tick(*args, **options) or 0)
        except (DatabaseError, InterfaceError) as error:
            if not self._is_failing:
                logger.warning("The schedules cannot be read: %s", type(error).__name__)
            self._is_failing = True
            self._forget()
            return float(self.max_interval)
        self._is_failing = False
        return wait

    def apply_entry(self, entry: DueEntry, producer: Any = None) -> None:
        try:
            self._act(entry)
        except Exception:
            logger.exception("Schedule %s: what was due could not be started", entry.name)
        finally:
            self.sync()

    def close(self) -> None:
        super().close()
        try:
            self._lease.release()
        except (DatabaseError, InterfaceError):  # it runs out by itself
            logger.warning("The lease of the schedules could not be given back")

    def _act(self, entry: DueEntry) -> None:
        """A job is a row, which takes no broker. All else is told to workers, and comes again in any case."""
        if entry.task == START_JOB:
            self._run(entry, *entry.args, **entry.kwargs, slot=f"{entry.name} {entry.due_at().isoformat()}")
        elif (task := self.app.tasks.get(entry.task)) is None:
            logger.error("Schedule %s: there is no task %s", entry.name, entry.task)
        else:
            otherwise = f"What {entry.name} does is left out this time"
            is_told = enqueue(task, *entry.args, otherwise=otherwise, kwargs=entry.kwargs, **entry.options)
            if not is_told and entry.task == _WITHOUT_QUEUE:
                self._run_beside(entry)

    def _run(self, entry: DueEntry, *args: Any, **options: Any) -> None:
        """In this process."""
        self.app.tasks[entry.task](*args, **options)

    def _run_beside(self, entry: DueEntry) -> None:
        """In a thread of its own, for the schedule is not to wait for it; not twice at a time."""
        if entry.name not in self._busy:
            self._busy.add(entry.name)
            threading.Thread(target=self._work, args=[entry], name=entry.name, daemon=True).start()

    def _work(self, entry: DueEntry) -> None:
        try:
            self._run(entry, *entry.args, **entry.kwargs)
        except Exception:
            logger.exception("Schedule %s: what was due has failed", entry.name)
        finally:
            self._busy.discard(entry.name)
            connections.close_all()  # they are this thread's

    def _wait(self) -> None:
        if not self._is_waiting:
            logger.info("Another process follows the schedules (%s): waiting", self._lease.holder)
            self._is_waiting = True
        self._forget()

    def _forget(self) -> None:
        """Read all of it anew: others have moved on."""
        self._heap = self.old_schedulers = self._schedule = None
        self._initial_read = True
        self._dirty.clear()

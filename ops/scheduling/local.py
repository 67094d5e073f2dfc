"""Without Redis: a thread of the web server's process follows the schedules (`ops.background`).

Under the same lease as Celery's beat, so that of several processes one does. What is due runs in a thread of
its own, for the schedule is not to wait for it, and not twice at a time.
"""

from __future__ import annotations

import logging
import os

from celery import current_app
from django.conf import settings

from ops.background import Background, may_run
from ops.beat import START_JOB, DueEntry, OneBeat
from ops.jobs import background

logger = logging.getLogger(__name__)


class LocalBeat(OneBeat):
    def _act(self, entry: DueEntry) -> None:
        if entry.task == START_JOB:
            super()._act(entry)
        elif entry.task not in self.app.tasks:
            logger.error("Schedule %s: there is no task %s", entry.name, entry.task)
        else:
            self._run_beside(entry)


# By process: a fork must not take itself for the one that has the lease.
_beats: dict[int, LocalBeat] = {}


def follow() -> None:
    """Where there is no Redis: from the start of a server on, not from its first request."""
    if may_run():
        _schedule.look()


def _work() -> float:
    process = os.getpid()
    if process not in _beats:
        _beats[process] = LocalBeat(app=current_app._get_current_object())
    while not (wait := _beats[process].tick()):
        pass
    background.look()  # for what was started here: no request ends that would
    return wait


_schedule = Background("schedules", _work, is_wanted=lambda: bool(settings.AFN_SCHEDULE))

"""The sign that the process of an attempt is alive.

The row of a job is held for a short time, which a thread renews while the function is at work: so that
another process goes on soon where this one was killed, however long a function may work without telling its
progress. One that tells none for the lease of its kind is taken to hang, and is not held any more.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from django.db import DatabaseError, connections
from django.utils import timezone

from ops.background import is_in_memory

from . import registry
from .run import Run, mine

logger = logging.getLogger(__name__)
_BEATS: Final = 4  # in the time for which a job is held


@contextmanager
def beating(run: Run, lease: timedelta) -> Iterator[None]:
    """While the function of `run` works."""
    if lease <= registry.HELD or is_in_memory():  # which a thread would not see
        yield
        return
    end = threading.Event()
    thread = threading.Thread(target=_beat, args=[run, lease, end], name=f"job {run.job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(_between())  # what it would write then is refused


def _beat(run: Run, lease: timedelta, end: threading.Event) -> None:
    while not end.wait(_between()):
        if run.silence > lease:
            logger.warning("Job %s (%s) tells no progress: it may hang", run.job.pk, run.job.kind)
            return
        try:
            if mine(run.job).update(lease_until=timezone.now() + registry.HELD) != 1:
                return
        except DatabaseError as error:
            logger.warning("Job %s cannot be held: %s", run.job.pk, type(error).__name__)
        finally:
            connections.close_all()


def _between() -> float:
    return registry.HELD.total_seconds() / _BEATS

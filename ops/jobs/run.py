"""An attempt at a job, as its function sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import TypeVar

from django.db.models import QuerySet
from django.utils import timezone

from .models import MAX_MESSAGE, Job, JobState
from .signals import tell
from .stopping import JobCancelled, JobLost

T = TypeVar("T")
_SECONDS_BETWEEN_WRITES = 1.0


class Run:
    """Tells how far the job is, and hears whether it is to go on."""

    def __init__(
        self,
        job: Job,
        held: timedelta,
        *,
        show: Callable[[int, int], None] = lambda done, total: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.job = job
        self._held, self._show, self._clock = held, show, clock
        self._written_at = self._told_at = clock()

    def progress(self, done: int, total: int | None = None, message: str = "") -> None:
        """Say that `done` of `total` steps are done, as often as one likes: it is written once a second.

        That renews the lease. Raises ``JobCancelled`` where that was asked for, ``JobLost`` where another one
        has taken the job for abandoned; both end the attempt.
        """
        self._show(done, total or 0)
        job = self.job
        job.done, job.total, job.message = max(0, done), total, message[:MAX_MESSAGE]
        now = self._told_at = self._clock()
        if now - self._written_at < min(_SECONDS_BETWEEN_WRITES, self._held.total_seconds() / 4):
            return
        self._written_at = now
        self._write()

    def track(self, items: Iterable[T], total: int | None = None, message: str = "") -> Iterator[T]:
        """Yield the items, and count those that are done."""
        for done, item in enumerate(items, start=1):
            yield item
            self.progress(done, total, message)

    @property
    def silence(self) -> timedelta:
        """Since it told its progress."""
        return timedelta(seconds=self._clock() - self._told_at)

    @property
    def is_cancelled(self) -> bool:
        """Was it asked for? For a function that has to tidy up before it ends."""
        return self._mine().exclude(cancel_requested_at=None).exists()

    def _write(self) -> None:
        job, until = self.job, timezone.now() + self._held
        values = {"done": job.done, "total": job.total, "message": job.message, "lease_until": until}
        if self._mine().filter(cancel_requested_at=None).update(**values) != 1:
            raise JobCancelled if self._mine().exists() else JobLost
        job.lease_until = until
        tell(job)

    def _mine(self) -> QuerySet[Job]:
        return mine(self.job)


def mine(job: Job) -> QuerySet[Job]:
    """The row, while it is held by who holds this one."""
    return Job.objects.filter(pk=job.pk, state=JobState.RUNNING, holder=job.holder)

"""What lists show of a job that changes while one looks: its state, how far it is, how long it took."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from ops import console
from vectors.admin.display import duration

from . import words
from .models import Job, JobState


@dataclass(frozen=True)
class Cells:
    job: Job

    @property
    def title(self) -> str:
        return words.describe(self.job)

    @property
    def state(self) -> SafeString:
        return console.pill(*words.state_of(self.job))

    @property
    def step(self) -> str:
        return words.step_of(self.job)

    @property
    def progress(self) -> SafeString | str:
        job, text = self.job, self.step
        if not job.total:
            return "–" if job.state == JobState.SUCCEEDED else text or "–"
        bar = '<span class="afn-score"><progress max="{}" value="{}" aria-hidden="true"></progress> {}</span>'
        return format_html(bar, job.total, min(job.done, job.total), text)

    @property
    def percent(self) -> int | None:
        job = self.job
        return min(100, 100 * job.done // job.total) if job.total else None

    @property
    def attempts(self) -> str:
        return words.attempts_of(self.job)

    @property
    def took(self) -> str:
        job = self.job
        if job.started_at is None:
            return "–"
        if job.state == JobState.RUNNING:
            return _("%(time)s so far") % {"time": timesince(job.started_at, depth=1)}
        return "–" if job.seconds is None else duration(job.seconds)

    @property
    def created(self) -> SafeString | str:
        return console.local_time(self.job.created_at)

    @property
    def started(self) -> SafeString | str:
        return console.local_time(self.job.started_at)

    @property
    def finished(self) -> SafeString | str:
        return console.local_time(self.job.finished_at)

    def in_place(self, name: str) -> SafeString:
        """One of them, which `live_cells.html` finds again by its id."""
        return format_html('<span id="{}">{}</span>', f"job-{self.job.pk}-{name}", getattr(self, name))

"""Jobs: what waits, what stands still, and why others have failed."""

from collections import Counter
from datetime import timedelta
from typing import Final

from ops.health.thresholds import QUEUE_AGE
from ops.jobs.models import Job, JobState
from ops.jobs.registry import title_of

from ..examining import Case
from ..findings import Notes

_DAY: Final = timedelta(days=1)
_SHOWN: Final = 5
_STARTING: Final = (
    "Is a worker running, and the scheduler? `manage.py doctor --only workers`; `manage.py jobs run KIND` "
    "does one in this process."
)


def look(notes: Notes, case: Case) -> None:
    due = Job.objects.filter(state=JobState.WAITING, not_before__lte=case.now).order_by("not_before")
    oldest = due.values_list("not_before", flat=True).first()
    age = (case.now - oldest).total_seconds() if oldest else 0.0
    if QUEUE_AGE.is_crossed(age):
        notes.problem(
            "waiting",
            f"{due.count():,} are due, the oldest for {age / 60:,.0f} minutes",
            "Nobody takes them, or all who do are busy.",
            _STARTING,
        )
    else:
        notes.ok("waiting", f"{due.count():,} are due, the oldest for {age:.0f} s")
    left = Job.objects.filter(state=JobState.RUNNING, lease_until__lt=case.now - timedelta(minutes=2))
    if count := left.count():
        notes.warn(
            "left behind",
            f"{count:,} whose worker has given no sign",
            "It died. The scheduler gives them to another one, or ends them.",
            _STARTING,
        )
    _look_at_failed(notes, case)


def _look_at_failed(notes: Notes, case: Case) -> None:
    failed = Job.objects.filter(state=JobState.FAILED, finished_at__gte=case.now - _DAY)
    counts = Counter(failed.values_list("kind", "cause"))
    if not counts:
        notes.ok("failed", "none within a day")
    for (kind, cause), count in counts.most_common(_SHOWN):
        newest = failed.filter(kind=kind, cause=cause).order_by("-finished_at").first()
        notes.warn(
            "failed",
            f"{title_of(kind)}: {count:,} within a day ({cause or 'no cause is known'})",
            "What they were to do is not done.",
            f"`manage.py jobs show {newest.pk if newest else 'ID'}`; when the cause is mended, `manage.py "
            f"jobs retry {newest.pk if newest else 'ID'}`.",
        )

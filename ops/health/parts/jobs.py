"""Jobs: how many wait, for how long, and what came of those that are over."""

from django.db.models import Count
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from ops.health import signs
from ops.health.states import Finding, Status, sample
from ops.health.thresholds import QUEUE_AGE
from ops.jobs.models import Job, JobState
from ops.said import say


def probe() -> Finding:
    waiting = Job.objects.filter(state=JobState.WAITING)
    oldest = (
        waiting.filter(not_before__lte=Now())
        .order_by("not_before")
        .values_list("not_before", flat=True)
        .first()
    )
    age = max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else 0.0
    states = dict(Job.objects.order_by().values_list("state").annotate(Count("pk")))
    count = states.get(JobState.WAITING, 0)
    samples = [
        sample("afn_queue_age_seconds", age),
        sample("afn_jobs_waiting", count),
        sample("afn_jobs_running", states.get(JobState.RUNNING, 0)),
    ]
    for (kind, outcome), ended in signs.counted_jobs().items():
        samples.append(sample("afn_jobs_total", ended, kind=kind, outcome=outcome))
    status = Status.DEGRADED if QUEUE_AGE.is_crossed(age) else Status.OK
    detail = say(
        _("%(count)s wait, the oldest that is due for %(age)s s"), count=f"{count:,}", age=f"{age:.0f}"
    )
    return Finding(status, detail, age, samples)

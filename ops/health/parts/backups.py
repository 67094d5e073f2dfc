"""Backups: how old the newest is, and when one was last restored for a try and found whole."""

from django.utils import timezone

from ops.backups import folder
from ops.backups.drilling import last_proved
from ops.backups.models import BackupDrill
from ops.environments import current
from ops.environments.base import EnvironmentProblem
from ops.health.states import Finding, Status, sample
from ops.health.thresholds import BACKUP_AGE, PROVED_AGE


def probe() -> Finding:
    now = timezone.now()
    stored = folder.stored(_environment())
    proved = last_proved()
    samples = [sample("afn_backups", len(stored))]
    wrong = []
    age = (now - stored[0].name.moment).total_seconds() if stored else None
    if age is None:
        wrong.append("there is none")
    else:
        samples.append(sample("afn_backup_age_seconds", age))
        if BACKUP_AGE.is_crossed(age):
            wrong.append(f"the newest is {age / 3_600:.0f} h old")
    if proved is not None:
        samples.append(sample("afn_backup_last_proved_timestamp_seconds", proved.created_at.timestamp()))
    since = (now - proved.created_at).total_seconds() if proved else None
    if since is None or PROVED_AGE.is_crossed(since):
        wrong.append(
            "none was ever proved" if since is None else f"none was proved for {since / 86_400:.0f} d"
        )
    newest = BackupDrill.objects.order_by("-created_at").first()
    if newest is not None and not newest.ok:
        wrong.append("the last drill found it broken")
    if wrong:
        return Finding(Status.DEGRADED, "; ".join(wrong), age, samples)
    return Finding(
        Status.OK, f"the newest is {(age or 0) / 3_600:.1f} h old, and one is proved", age, samples
    )


def _environment() -> str:
    try:
        return current.get_provider().current
    except EnvironmentProblem:
        return ""

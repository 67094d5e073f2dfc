"""Backups: how old the newest is, here and in the bucket, and when one was last restored for a try and found
whole.
"""

from datetime import datetime

from django.utils import timezone

from ops.backups import folder, s3, uploads
from ops.backups.drilling import last_proved
from ops.backups.models import BackupDrill
from ops.environments import current
from ops.environments.base import EnvironmentProblem
from ops.health.states import Finding, Sample, Status, sample
from ops.health.thresholds import BACKUP_AGE, PROVED_AGE


def probe() -> Finding:
    now, environment = timezone.now(), _environment()
    stored = folder.stored(environment)
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
    if s3.is_configured():
        uploaded = _age_of_uploaded(environment, now)
        samples.append(_uploaded(uploaded))
        if uploaded is None:
            wrong.append("none was brought to the bucket")
        elif BACKUP_AGE.is_crossed(uploaded):
            wrong.append(f"the newest in the bucket is {uploaded / 3_600:.0f} h old")
            age = max(uploaded, age or 0)
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
    text = f"the newest is {(age or 0) / 3_600:.1f} h old; last proved {(since or 0) / 3_600:.1f} h ago"
    return Finding(Status.OK, text, age, samples)


def _age_of_uploaded(environment: str, now: datetime) -> float | None:
    name = uploads.newest(environment)
    return (now - name.moment).total_seconds() if name else None


def _uploaded(age: float | None) -> Sample:
    """What never was there is endlessly old: rules find that, too."""
    return sample("afn_backup_uploaded_age_seconds", float("inf") if age is None else age)


def _environment() -> str:
    try:
        return current.get_provider().current
    except EnvironmentProblem:
        return ""

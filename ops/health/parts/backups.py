"""Backups: how old the newest is, here and in the bucket, and when one was last restored for a try and found
whole.
"""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_noop as _

from ops.backups import folder, s3, uploads
from ops.backups.drilling import last_proved
from ops.backups.models import BackupDrill
from ops.environments import current
from ops.environments.base import EnvironmentProblem
from ops.health.states import Finding, Sample, Status, sample
from ops.health.thresholds import BACKUP_AGE, PROVED_AGE
from ops.said import join, say


def probe() -> Finding:
    now, environment = timezone.now(), _environment()
    stored = folder.stored(environment)
    proved = last_proved()
    samples = [sample("afn_backups", len(stored))]
    wrong = []
    age = (now - stored[0].name.moment).total_seconds() if stored else None
    if age is None:
        wrong.append(say(_("there is none")))
    else:
        samples.append(sample("afn_backup_age_seconds", age))
        if BACKUP_AGE.is_crossed(age):
            wrong.append(say(_("the newest is %(hours)s h old"), hours=f"{age / 3_600:.0f}"))
    if s3.is_configured():
        uploaded = _age_of_uploaded(environment, now)
        samples.append(_uploaded(uploaded))
        if uploaded is None:
            wrong.append(say(_("none was brought to the bucket")))
        elif BACKUP_AGE.is_crossed(uploaded):
            hours = f"{uploaded / 3_600:.0f}"
            wrong.append(say(_("the newest in the bucket is %(hours)s h old"), hours=hours))
            age = max(uploaded, age or 0)
    if proved is not None:
        samples.append(sample("afn_backup_last_proved_timestamp_seconds", proved.created_at.timestamp()))
    since = (now - proved.created_at).total_seconds() if proved else None
    if since is None:
        wrong.append(say(_("none was ever proved")))
    elif PROVED_AGE.is_crossed(since):
        wrong.append(say(_("none was proved for %(days)s d"), days=f"{since / 86_400:.0f}"))
    newest = BackupDrill.objects.order_by("-created_at").first()
    if newest is not None and not newest.ok:
        wrong.append(say(_("the last drill found it broken")))
    if wrong:
        return Finding(Status.DEGRADED, join(wrong), age, samples)
    detail = say(
        _("the newest is %(age)s h old; last proved %(proved)s h ago"),
        age=f"{(age or 0) / 3_600:.1f}",
        proved=f"{(since or 0) / 3_600:.1f}",
    )
    return Finding(Status.OK, detail, age, samples)


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

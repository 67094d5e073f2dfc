"""What becomes an event: of the registry, of jobs, of backups, of environments, of alerts."""

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from ops.alerts.models import Alert
from ops.alerts.signals import alert_changed
from ops.audit.context import origin
from ops.audit.models import AuditEntry
from ops.backups.models import BackupDrill
from ops.backups.signals import made
from ops.jobs.models import Job
from ops.jobs.signals import job_changed
from prompts.events import Event, happened

from .publishing import publish


@receiver(happened, dispatch_uid="realtime")
def _happened(event: Event, using: str, **_: Any) -> None:
    """Of fields that were changed the names: their values are contents."""
    data = dict(event.data)
    if isinstance(changed := data.get("changed"), dict):
        data["changed"] = sorted(changed)
    prompt = {"id": event.prompt_id, "name": event.prompt_name}
    publish(event.kind, {"prompt": prompt, "actor": _actor(event.actor_id), **data}, using=using)


def _actor(actor_id: str) -> dict[str, str] | None:
    """With a name where it is who asks: nothing is looked up for it."""
    known_id, known_name = origin().who()
    if actor_id and actor_id != known_id:
        return {"id": actor_id, "name": ""}
    return {"id": known_id, "name": known_name} if known_id or known_name else None


@receiver(job_changed, dispatch_uid="realtime")
def _job_changed(job: Job, **_: Any) -> None:
    """Its state is the kind; as long as it runs, each sign of progress is told. What it was started with, and
    why it failed, stand with the job."""
    publish(
        f"job.{job.state}",
        {
            "job": {"id": job.pk, "kind": job.kind},
            "done": job.done,
            "total": job.total,
            "message": job.message,
            "attempts": job.attempts,
        },
    )


@receiver(made, dispatch_uid="realtime")
def _backup_made(name: str, environment: str, size: int, **_: Any) -> None:
    publish("backup.made", {"backup": {"name": name, "bytes": size}, "environment": environment})


@receiver(post_save, sender=BackupDrill, dispatch_uid="realtime")
def _backup_drilled(instance: BackupDrill, created: bool, using: str, **_: Any) -> None:
    if created:
        facts = {"ok": instance.ok, "seconds": round(instance.seconds, 3), "rows": instance.rows}
        publish("backup.drilled", {"backup": {"name": instance.backup}, **facts}, using=using)


@receiver(post_save, sender=AuditEntry, dispatch_uid="realtime")
def _environment_changed(instance: AuditEntry, created: bool, using: str, **_: Any) -> None:
    """What is done with environments stands in the audit log, wherever it was done."""
    if created and instance.action.startswith("environment."):
        actor = {"id": instance.actor_id, "name": instance.actor_name}
        publish(instance.action, {"environment": {"name": instance.object_name}, "actor": actor}, using=using)


@receiver(alert_changed, dispatch_uid="realtime")
def _alert_changed(alert: Alert, change: str, **_: Any) -> None:
    publish(
        f"alert.{change}",
        {
            "alert": {"id": alert.pk, "name": alert.rule_name},
            "severity": alert.severity,
            "metric": alert.metric,
            "value": alert.last,
        },
    )

"""What workers do for jobs and webhooks. Tasks take ids, may run twice, and ask before they work."""

from typing import Any, Final

from celery import shared_task
from django.db import DEFAULT_DB_ALIAS
from django.dispatch import receiver

from ops import jobs
from ops.alerts import delivering as alert_delivering
from ops.alerts import evaluating
from ops.jobs.running import run
from ops.jobs.sweeping import sweep
from ops.outbox.sweeping import sweep_to_workers
from ops.webhooks.delivering import deliver
from vectors.models import Collection
from vectors.signals import index_due

_A_WEEK: Final = 7 * 86_400


@receiver(index_due)
def build_later(collection_id: int, using: str, **_: object) -> None:
    """Have the index of a collection built that has outgrown it. Other environments have no workers."""
    if using != DEFAULT_DB_ALIAS:
        return
    name = Collection.objects.using(using).filter(pk=collection_id).values_list("name", flat=True).first()
    if name is not None:
        jobs.start("rebuild_index", {"collection": name, "only_if_due": True})


# A job ends when it is done or loses its lease, however long that takes.
@shared_task(ignore_result=True, time_limit=_A_WEEK, soft_time_limit=_A_WEEK)
def run_job(job_id: str) -> None:
    run(job_id)


@shared_task(ignore_result=True)
def sweep_jobs() -> None:
    """By the scheduler: jobs whose worker died, and those that no worker was told of."""
    sweep()


@shared_task(ignore_result=True)
def start_job(kind: str, arguments: dict[str, Any] | None = None, slot: str = "") -> None:
    """By the scheduler: start a job, once for each slot, which is the schedule and the moment it was due."""
    jobs.start(kind, arguments, slot=slot)


@shared_task(ignore_result=True)
def deliver_events() -> None:
    """Sweep the outbox: after a commit, and every few seconds by the scheduler."""
    sweep_to_workers()


@shared_task(ignore_result=True)
def watch_alerts() -> None:
    """By the scheduler: look at the figures of all rules, and send what is due."""
    evaluating.look()
    alert_delivering.send_due()


@shared_task(ignore_result=True)
def send_alerts() -> None:
    """After a commit that made notifications."""
    alert_delivering.send_due()


@shared_task(ignore_result=True)
def deliver_webhook(delivery_id: str) -> None:
    deliver(delivery_id)

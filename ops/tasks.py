"""What workers do for collections and webhooks. Tasks take ids, may run twice, and ask before they work."""

from celery import shared_task
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.dispatch import receiver

from ops.outbox.sweeping import sweep_to_workers
from ops.webhooks.delivering import deliver
from prompts.queueing import enqueue
from vectors.errors import CollectionNotFound, IndexBusy
from vectors.index.state import read_state
from vectors.index.training import is_due, rebuild
from vectors.models import Collection
from vectors.signals import index_due
from vectors.sql import Tables


@shared_task(ignore_result=True)
def build_index(collection_id: int, using: str = DEFAULT_DB_ALIAS) -> None:
    """Build the index of a collection anew if it still has outgrown it, and nobody else builds."""
    collection = Collection.objects.using(using).filter(pk=collection_id).first()
    if collection is None or not is_due(read_state(Tables.of(collection), using), collection.strategy):
        return
    try:
        rebuild(collection, strategy=collection.strategy, using=using)
    except (IndexBusy, CollectionNotFound):  # another one builds, or somebody has just deleted it
        return


@receiver(index_due)
def build_later(collection_id: int, using: str, **_: object) -> None:
    """Have a worker build. Without workers a writer would have to wait: there is `rebuild_vectors` then."""
    if not settings.CELERY_TASK_ALWAYS_EAGER:
        enqueue(build_index, collection_id, using, otherwise="An index waits to be built")


@shared_task(ignore_result=True)
def deliver_events() -> None:
    """Sweep the outbox: after a commit, and every few seconds by the scheduler."""
    sweep_to_workers()


@shared_task(ignore_result=True)
def deliver_webhook(delivery_id: str) -> None:
    deliver(delivery_id)

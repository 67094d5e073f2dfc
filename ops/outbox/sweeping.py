"""One round of telling: events become deliveries, and the deliveries that are due are sent.

May run in any number of processes at a time, and be killed at any point: all that is done is claimed first,
and a claim that nobody keeps is free again after a while.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Min
from django.utils import timezone

from ops.webhooks import delivering
from ops.webhooks.models import Delivery, DeliveryStatus

from .models import OutboxEvent
from .relaying import BATCH, relay

logger = logging.getLogger(__name__)
KEPT: Final = timedelta(days=30)
# A worker that was told of a delivery and has not claimed it by then is told again.
QUEUED: Final = timedelta(minutes=2)
_MAX_WAIT: Final = 3_600.0
_PRUNED: Final = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """How many events were relayed, deliveries arrived, and failed for now or for good."""

    relayed: int = 0
    delivered: int = 0
    failed: int = 0


def sweep() -> Swept:
    """Relay, and send what is due here and now, one after the other.

    After a failure the other deliveries of that webhook wait for the next round, so that one that hangs
    holds up the others once a round.
    """
    relayed = relay()
    delivering.free_abandoned()
    delivered = failed = 0
    failing: set[str] = set()
    for key, webhook_id in list(delivering.due().values_list("pk", "webhook_id")[:BATCH]):
        if webhook_id in failing:
            continue
        status = delivering.deliver(key)
        delivered += status == DeliveryStatus.DELIVERED
        if status not in (None, DeliveryStatus.DELIVERED):
            failed += 1
            failing.add(webhook_id)
    prune()
    return Swept(relayed, delivered, failed)


def sweep_to_workers() -> Swept:
    """Relay, and have workers send what is due: a task for each, so that none waits for another."""
    from ops.tasks import deliver_webhook

    relayed = relay()
    delivering.free_abandoned()
    for key, due_at in list(delivering.due().values_list("pk", "next_attempt_at")[:BATCH]):
        waiting = Delivery.objects.filter(pk=key, status=DeliveryStatus.PENDING)
        if waiting.filter(next_attempt_at=due_at).update(next_attempt_at=timezone.now() + QUEUED) != 1:
            continue
        try:
            deliver_webhook.apply_async((key,), retry=False)
        except Exception as error:  # noqa: BLE001 - whatever a broker's client raises
            waiting.update(next_attempt_at=due_at)
            logger.warning("Deliveries wait, no worker could be told: %s", type(error).__name__)
            break
    prune()
    return Swept(relayed)


def sweep_as_configured() -> Swept:
    return sweep() if settings.CELERY_TASK_ALWAYS_EAGER else sweep_to_workers()


def seconds_until_due(now: datetime | None = None) -> float:
    """How long the next delivery can wait; an hour at most, for others may add to them."""
    now = now or timezone.now()
    if OutboxEvent.objects.filter(relayed_at=None).exists():
        return 0.0
    earliest = delivering.waiting().aggregate(at=Min("next_attempt_at"))["at"]
    claimed = Delivery.objects.filter(status=DeliveryStatus.SENDING).aggregate(at=Min("claimed_at"))["at"]
    moments = [at for at in (earliest, claimed and claimed + delivering.LEASE) if at]
    return max(0.0, min([(at - now).total_seconds() for at in moments] + [_MAX_WAIT]))


def prune(now: datetime | None = None) -> int:
    """Forget events that happened long ago, with their log, but for those that still wait to be told."""
    old = OutboxEvent.objects.filter(happened_at__lt=(now or timezone.now()) - KEPT, relayed_at__isnull=False)
    open_states = (DeliveryStatus.PENDING, DeliveryStatus.SENDING)
    waiting = Delivery.objects.filter(status__in=open_states, webhook__paused_at=None)
    keys = list(old.exclude(pk__in=waiting.values("event")).values_list("pk", flat=True)[:_PRUNED])
    OutboxEvent.objects.filter(pk__in=keys).delete()
    return len(keys)

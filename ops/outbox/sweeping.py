"""One round of telling: events become deliveries, and the deliveries that are due are sent.

May run in any number of processes at a time, and be killed at any point: all that is done is claimed first,
and a claim that nobody keeps is free again after a while.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Min
from django.utils import timezone

from ops.at_once import at_once
from ops.webhooks import delivering
from ops.webhooks.models import Delivery, DeliveryStatus
from prompts.queueing import enqueue

from .models import OutboxEvent
from .relaying import BATCH, relay

KEPT: Final = timedelta(days=30)
# A worker that was told of a delivery and has not claimed it by then is told again.
QUEUED: Final = timedelta(minutes=2)
# To so many webhooks at a time, where a process of ours sends itself.
THREADS: Final = 8
_MAX_WAIT: Final = 3_600.0
_PRUNED: Final = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """How many events were relayed, deliveries arrived, and failed for now or for good."""

    relayed: int = 0
    delivered: int = 0
    failed: int = 0


def sweep(threads: int = 1) -> Swept:
    """Relay, and send what is due here and now: to each webhook one after the other, to several at a time
    where there is more than one of `threads`, so that one that hangs does not hold up the others.

    After a failure the other deliveries of that webhook wait for the next round.
    """
    relayed = relay()
    delivering.free_abandoned()
    by_webhook: dict[str, list[str]] = {}
    for key, webhook_id in delivering.due().values_list("pk", "webhook_id")[:BATCH]:
        by_webhook.setdefault(webhook_id, []).append(key)
    groups = list(by_webhook.values())
    done = at_once(_send, groups, threads)
    prune()
    return Swept(relayed, sum(sent for sent, _ in done), sum(failed for _, failed in done))


def _send(keys: Sequence[str]) -> tuple[int, int]:
    """Deliveries of one webhook, up to the first that fails: how many arrived, and how many failed."""
    sent = 0
    for key in keys:
        status = delivering.deliver(key)
        if status not in (None, DeliveryStatus.DELIVERED):
            return sent, 1
        sent += status == DeliveryStatus.DELIVERED
    return sent, 0


def sweep_to_workers() -> Swept:
    """Relay, and have workers send what is due: a task for each, so that none waits for another."""
    from ops.tasks import deliver_webhook

    relayed = relay()
    delivering.free_abandoned()
    for key, due_at in list(delivering.due().values_list("pk", "next_attempt_at")[:BATCH]):
        waiting = Delivery.objects.filter(pk=key, status=DeliveryStatus.PENDING)
        if waiting.filter(next_attempt_at=due_at).update(next_attempt_at=timezone.now() + QUEUED) != 1:
            continue
        if not enqueue(deliver_webhook, key, otherwise="Deliveries wait"):
            waiting.update(next_attempt_at=due_at)
            break
    prune()
    return Swept(relayed)


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
    waiting = Delivery.objects.filter(
        status__in=open_states, webhook__paused_at=None, webhook__is_active=True
    )
    keys = list(old.exclude(pk__in=waiting.values("event")).values_list("pk", flat=True)[:_PRUNED])
    OutboxEvent.objects.filter(pk__in=keys).delete()
    return len(keys)

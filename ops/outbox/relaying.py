"""From the outbox to deliveries: each event once, for all webhooks that want it."""

from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from ops.webhooks.models import Delivery, Webhook
from prompts.models import User

from .models import OutboxEvent

BATCH: Final = 500


def relay(limit: int = BATCH) -> int:
    """Make the deliveries of events that have none yet, the oldest first; returns of how many events.

    An event is claimed in the transaction that makes its deliveries: two who relay make them once, and one
    who dies makes none.
    """
    waiting = list(OutboxEvent.objects.filter(relayed_at=None)[:limit])
    # After the events: a webhook that is made before one of them happens is among these.
    webhooks = list(Webhook.objects.filter(is_active=True))
    if not webhooks:  # nobody is to be told
        keys = [event.pk for event in waiting]
        return OutboxEvent.objects.filter(pk__in=keys, relayed_at=None).update(relayed_at=timezone.now())
    names = dict(
        User.objects.filter(pk__in={event.actor_id for event in waiting}).values_list("pk", "username")
    )
    return sum(_relay(event, webhooks, names.get(event.actor_id, "")) for event in waiting)


def _relay(event: OutboxEvent, webhooks: list[Webhook], actor_name: str) -> int:
    now = timezone.now()
    try:
        with transaction.atomic():
            waiting = OutboxEvent.objects.filter(pk=event.pk, relayed_at=None)
            if waiting.update(relayed_at=now, actor_name=actor_name[:255]) != 1:
                return 0
            Delivery.objects.bulk_create(
                Delivery(webhook=webhook, event=event, next_attempt_at=now)
                for webhook in webhooks
                if webhook.wants(event)
            )
    except IntegrityError:  # a webhook has just been deleted; the next sweep knows
        return 0
    return 1

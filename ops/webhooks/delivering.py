"""Delivering: claim, send, note what came of it.

At least once: who dies after sending and before noting leaves a claim, which is free again after LEASE, and
the event is sent a second time under the same id. Nothing is written while a receiver is waited for.
"""

import logging
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from ops.audit.recording import record

from . import claiming
from .claiming import LEASE as LEASE
from .errors import Unsealable
from .models import MAX_ERROR, Delivery, DeliveryStatus, Webhook
from .retrying import PAUSE_AFTER, delay
from .sealing import unseal
from .sending import Outcome, Target, send

logger = logging.getLogger(__name__)


def waiting() -> QuerySet[Delivery]:
    """What is to be sent now or later. A paused webhook only gets what somebody sends it to try it."""
    is_open = Q(webhook__is_active=True, webhook__paused_at=None) | Q(event__kind="ping")
    return Delivery.objects.filter(is_open, status=DeliveryStatus.PENDING)


def due(now: datetime | None = None) -> QuerySet[Delivery]:
    return waiting().filter(next_attempt_at__lte=now or timezone.now()).order_by("next_attempt_at", "pk")


def free_abandoned(now: datetime | None = None) -> int:
    """Free the claims of those who have died; returns how many."""
    return claiming.free_abandoned(Delivery.objects.all(), now or timezone.now())


def deliver(delivery_id: str, *, now: datetime | None = None) -> DeliveryStatus | None:
    """One attempt, unless somebody else makes it or it is not wanted any more: then None.

    Which state the delivery has now: DELIVERED, PENDING for another attempt, or FAILED.
    """
    now = now or timezone.now()
    if not claiming.claim(Delivery.objects.all(), waiting(), delivery_id, now):
        return None
    delivery = Delivery.objects.select_related("webhook", "event").filter(pk=delivery_id).first()
    if delivery is None:  # its webhook has just been deleted
        return None
    try:
        outcome = send(target_of(delivery.webhook, now), delivery.event, delivery.pk)
    except Unsealable:
        text = "its address and secret cannot be read, for SECRET_KEY has changed: delete it and make it anew"
        outcome = Outcome(None, "", text, 0.0)
    except Exception:
        # One that cannot be sent at all must not hold up the others, nor be tried for ever.
        logger.exception("Delivery %s could not be sent", delivery.pk)
        outcome = Outcome(None, "", "it could not be sent; the log of the process that tried says why", 0.0)
    return _settle(delivery, outcome, now)


def target_of(webhook: Webhook, now: datetime) -> Target:
    """Raises ``Unsealable``."""
    secrets = [unseal(webhook.sealed_secret)]
    if webhook.sealed_old_secret and webhook.old_secret_until and now < webhook.old_secret_until:
        secrets.append(unseal(webhook.sealed_old_secret))
    return Target(unseal(webhook.sealed_url), tuple(secrets), webhook.format)


def _settle(delivery: Delivery, outcome: Outcome, now: datetime) -> DeliveryStatus:
    webhook = delivery.webhook
    values = outcome.columns
    wait = None
    if outcome.is_delivered:
        status = DeliveryStatus.DELIVERED
        values["delivered_at"] = timezone.now()
    else:
        is_ping = delivery.event.kind == "ping"  # somebody waits for it and tries again by hand
        wait = None if outcome.is_gone or is_ping else delay(delivery.attempts, outcome.retry_after)
        status = DeliveryStatus.FAILED if wait is None else DeliveryStatus.PENDING
        if wait is not None:
            values["next_attempt_at"] = now + wait
    mine = Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.SENDING, claimed_at=now)
    mine.update(status=status, **values)
    if outcome.is_delivered:
        _works(webhook)
    elif delivery.event.kind != "ping":
        _fails(webhook, outcome, is_over=wait is None, now=now)
    return status


def _works(webhook: Webhook) -> None:
    """It answers: no pause any more, whoever or whatever set it."""
    failing = Webhook.objects.filter(pk=webhook.pk).exclude(failing_since=None, paused_at=None)
    if failing.update(failing_since=None, paused_at=None, paused_reason="") and webhook.paused_at:
        record("webhook.resumed", kind="ops.webhook", key=webhook.pk, name=webhook.name)


def _fails(webhook: Webhook, outcome: Outcome, *, is_over: bool, now: datetime) -> None:
    """Note since when; and pause it where a delivery was given up, or it has failed for a day."""
    Webhook.objects.filter(pk=webhook.pk, failing_since=None).update(failing_since=now)
    since = Webhook.objects.filter(pk=webhook.pk).values_list("failing_since", flat=True).first() or now
    if not is_over and now - since < PAUSE_AFTER:
        return
    reason = f"No delivery has arrived since {since:%Y-%m-%d %H:%M} UTC. The last problem: {outcome.error}"
    if outcome.is_gone:
        reason = "The receiver says that it is gone (410)."
    running = Webhook.objects.filter(pk=webhook.pk, paused_at=None)
    if running.update(paused_at=now, paused_reason=reason[:MAX_ERROR]):
        changes = {"paused_reason": ["", reason[:MAX_ERROR]]}
        record("webhook.paused", kind="ops.webhook", key=webhook.pk, name=webhook.name, changes=changes)

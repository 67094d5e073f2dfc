"""Sending notifications: claimed, sent, noted, and tried again as deliveries of webhooks are.

Each is sent once; who dies after sending and before noting leaves a claim that is free again after a minute,
and then it is sent a second time under the same id.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from ops.at_once import at_once
from ops.background import is_in_memory
from ops.webhooks import claiming
from ops.webhooks.errors import Unsealable
from ops.webhooks.models import DeliveryStatus
from ops.webhooks.retrying import delay
from ops.webhooks.sealing import unseal
from ops.webhooks.sending import Outcome, Target, post

from . import emailing, wording
from .models import AlertChannel, AlertNotification, ChannelKind, NotificationEvent

logger = logging.getLogger(__name__)
THREADS: Final = 8
_BATCH: Final = 200
_OPEN: Final = (DeliveryStatus.PENDING, DeliveryStatus.SENDING)


def waiting() -> QuerySet[AlertNotification]:
    """What is to be sent now or later; that an alert is over, once it is told that there was one."""
    before = AlertNotification.objects.filter(
        alert=OuterRef("alert"), channel=OuterRef("channel"), event=NotificationEvent.RAISED, status__in=_OPEN
    )
    rows = AlertNotification.objects.filter(status=DeliveryStatus.PENDING)
    rows = rows.exclude(Exists(before), event__in=(NotificationEvent.CLEARED, NotificationEvent.REMINDER))
    return rows.filter(Q(channel__enabled=True) | Q(event=NotificationEvent.TEST))


def send_due(now: datetime | None = None) -> tuple[int, int]:
    """Send all that is due, to several channels at a time; how many arrived, and how many did not."""
    now = now or timezone.now()
    claiming.free_abandoned(AlertNotification.objects.all(), now)
    sent = failed = 0
    for _ in range(2):  # once an alert is told, it can be told that it is over
        rows = waiting().filter(next_attempt_at__lte=now).order_by("next_attempt_at", "created_at", "pk")
        by_channel: dict[str, list[str]] = {}
        for key, channel in rows.values_list("pk", "channel_id")[:_BATCH]:
            by_channel.setdefault(channel, []).append(key)
        if not by_channel:
            break
        done = at_once(_send, list(by_channel.values()), 1 if is_in_memory() else THREADS)
        sent, failed = sent + sum(one for one, _ in done), failed + sum(one for _, one in done)
    return sent, failed


def deliver(key: str, *, now: datetime | None = None) -> DeliveryStatus | None:
    """One attempt, unless somebody else makes it or it is not wanted any more: then None."""
    now = now or timezone.now()
    if not claiming.claim(AlertNotification.objects.all(), waiting(), key, now):
        return None
    notification = AlertNotification.objects.select_related("channel").filter(pk=key).first()
    if notification is None:  # its channel has just been deleted
        return None
    return _settle(notification, attempt(notification), now)


def attempt(notification: AlertNotification) -> Outcome:
    """Send it, and say what came of it; never raises, and does not ask the database."""
    try:
        return _send_to(notification.channel, notification)
    except Unsealable:
        text = "its address cannot be read, for SECRET_KEY has changed: enter it anew"
        return Outcome(None, "", text, 0.0)
    except Exception as error:  # noqa: BLE001 - one that cannot be sent must not hold up the others
        # Without the error's text, which may quote the address.
        logger.error("Notification %s could not be sent: %s", notification.pk, type(error).__name__)
        return Outcome(None, "", f"it could not be sent: {type(error).__name__}", 0.0)


def _send(keys: Sequence[str]) -> tuple[int, int]:
    """Of one channel, up to the first that fails."""
    sent = 0
    for key in keys:
        status = deliver(key)
        if status not in (None, DeliveryStatus.DELIVERED):
            return sent, 1
        sent += status == DeliveryStatus.DELIVERED
    return sent, 0


def _send_to(channel: AlertChannel, notification: AlertNotification) -> Outcome:
    if channel.kind == ChannelKind.EMAIL:
        return emailing.send(notification, channel.addresses)
    secrets = (unseal(channel.sealed_secret),) if channel.sealed_secret else ()
    target = Target(unseal(channel.sealed_url), secrets, channel.kind)
    headers = {
        "X-AFN-Event": wording.kind_of(notification),
        "X-AFN-Event-Id": notification.pk,
    }
    return post(target, wording.body_of(notification, channel.kind), headers, notification.pk)


def _settle(notification: AlertNotification, outcome: Outcome, now: datetime) -> DeliveryStatus:
    values = outcome.columns
    if outcome.is_delivered:
        status = DeliveryStatus.DELIVERED
        values["delivered_at"] = timezone.now()
    else:
        is_test = notification.event == NotificationEvent.TEST  # somebody waits, and tries again by hand
        wait = None if outcome.is_gone or is_test else delay(notification.attempts, outcome.retry_after)
        status = DeliveryStatus.FAILED if wait is None else DeliveryStatus.PENDING
        if wait is not None:
            values["next_attempt_at"] = now + wait
        else:
            logger.warning("An alert could not be told by the channel %s", notification.channel.name)
    mine = AlertNotification.objects.filter(pk=notification.pk, status=DeliveryStatus.SENDING, claimed_at=now)
    mine.update(status=status, **values)
    return status

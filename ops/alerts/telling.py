"""Who is told of an alert: a row for each channel, in the transaction of what it tells of.

What is silenced makes no rows. An alert that is still open when the silence is over is told then.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from prompts.models import User

from . import starting, wording
from .models import (
    Alert,
    AlertChannel,
    AlertNotification,
    AlertRule,
    AlertSilence,
    NotificationEvent,
    Severity,
)


def is_silenced(rule_id: str | None, now: datetime) -> bool:
    about = Q(rule=None) | Q(rule=rule_id) if rule_id else Q(rule=None)
    return AlertSilence.objects.filter(about, starts_at__lte=now, until__gt=now).exists()


def raised(alert: Alert, rule: AlertRule | None, now: datetime) -> int:
    """Tell all channels that want it, unless it is silenced; how many."""
    if is_silenced(alert.rule_id, now):
        return 0
    alert.told_at = now
    Alert.objects.filter(pk=alert.pk).update(told_at=now)
    channels = [one for one in AlertChannel.objects.filter(enabled=True) if wants(one, alert)]
    return _make(alert, rule, channels, NotificationEvent.RAISED, now)


def cleared(alert: Alert, rule: AlertRule | None, now: datetime) -> int:
    """Tell those that were told of the alert."""
    if is_silenced(alert.rule_id, now):
        return 0
    told = AlertNotification.objects.filter(alert=alert).values("channel")
    channels = AlertChannel.objects.filter(pk__in=told, enabled=True, sends_cleared=True)
    return _make(alert, rule, channels, NotificationEvent.CLEARED, now)


def tell_late(now: datetime) -> int:
    """Of open alerts that were silenced until now."""
    count = 0
    for alert in Alert.objects.filter(cleared_at=None, told_at=None).select_related("rule"):
        with transaction.atomic():
            if is_silenced(alert.rule_id, now):
                continue
            # Whoever sets it tells, in this transaction.
            if Alert.objects.filter(pk=alert.pk, told_at=None, cleared_at=None).update(told_at=now) == 1:
                count += raised(alert, alert.rule, now)
    return count


def remind(now: datetime) -> int:
    """Of open alerts that nobody has acknowledged, as often as each channel says."""
    count = 0
    channels = list(AlertChannel.objects.filter(enabled=True, remind_hours__gt=0))
    rows = Alert.objects.filter(cleared_at=None, acknowledged_at=None).exclude(told_at=None)
    for alert in rows.select_related("rule") if channels else ():
        for channel in channels:
            number = int((now - alert.started_at).total_seconds() // (3_600 * channel.remind_hours))
            if number < 1 or not wants(channel, alert) or is_silenced(alert.rule_id, now):
                continue
            known = AlertNotification.objects.filter(
                alert=alert, channel=channel, event=NotificationEvent.REMINDER, number__gte=number
            )
            if not known.exists():
                count += _remind(alert, channel, number, now)
    return count


def send_test(channel: AlertChannel, *, actor: User | None) -> AlertNotification:
    """Have something sent that says nothing, once, also to a channel that is off."""
    now = timezone.now()
    with transaction.atomic():
        made = AlertNotification.objects.create(
            channel=channel, event=NotificationEvent.TEST, facts=wording.facts_of_test(channel, now),
            next_attempt_at=now, asked_by=actor,
        )  # fmt: skip
        starting.start_on_commit()
    return made


def wants(channel: AlertChannel, alert: Alert) -> bool:
    """By its severity."""
    return Severity(alert.severity).rank >= Severity(channel.min_severity).rank


def _remind(alert: Alert, channel: AlertChannel, number: int, now: datetime) -> int:
    try:
        with transaction.atomic():
            return _make(alert, alert.rule, [channel], NotificationEvent.REMINDER, now, number)
    except IntegrityError:  # another process was faster
        return 0


def _make(
    alert: Alert,
    rule: AlertRule | None,
    channels: Iterable[AlertChannel],
    event: NotificationEvent,
    now: datetime,
    number: int = 0,
) -> int:
    facts = wording.facts_of(alert, rule, now)
    rows = [
        AlertNotification(
            alert=alert, channel=channel, event=event, number=number, facts=facts, next_attempt_at=now
        )
        for channel in channels
    ]
    AlertNotification.objects.bulk_create(rows)
    if rows:
        starting.start_on_commit()
    return len(rows)

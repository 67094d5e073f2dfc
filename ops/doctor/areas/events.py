"""What others are told: events that nobody passes on, webhooks that do not take them, channels of alerts."""

import shlex
from datetime import timedelta
from typing import Final

from ops.alerts.models import AlertChannel, ChannelKind
from ops.outbox.models import OutboxEvent
from ops.webhooks.errors import Unsealable
from ops.webhooks.models import Delivery, DeliveryStatus, Webhook
from ops.webhooks.sealing import unseal

from ..examining import Case
from ..findings import Notes

_LATE: Final = timedelta(minutes=5)
_DAY: Final = timedelta(days=1)


def look(notes: Notes, case: Case) -> None:
    waiting = OutboxEvent.objects.filter(relayed_at=None, happened_at__lt=case.now - _LATE).order_by(
        "happened_at"
    )
    if oldest := waiting.first():
        notes.problem(
            "outbox",
            f"{waiting.count():,} events wait, the oldest for "
            f"{(case.now - oldest.happened_at).total_seconds() / 60:,.0f} minutes",
            "Nobody passes them on to webhooks.",
            "`manage.py deliver_events`; is the scheduler running? `manage.py doctor --only workers`.",
        )
    else:
        notes.ok("outbox", "no event waits")
    for webhook in Webhook.objects.order_by("name"):
        _look_at(notes, case, webhook)
    for channel in AlertChannel.objects.filter(enabled=True).exclude(kind=ChannelKind.EMAIL).order_by("name"):
        if not _is_readable(channel):
            notes.problem(
                f"channel {channel.name}",
                "its address cannot be read",
                "It is sealed with another SECRET_KEY than this one: nobody is told of alerts there.",
                "Put the former key into SECRET_KEY_FALLBACKS and run `manage.py reseal_secrets`, or enter "
                "the address anew in the console, at Alert channels; then "
                f"`manage.py alerts test {shlex.quote(channel.name)}`.",
            )


def _look_at(notes: Notes, case: Case, webhook: Webhook) -> None:
    name = f"webhook {webhook.name}"
    deliveries = webhook.deliveries
    overdue = deliveries.filter(status=DeliveryStatus.PENDING, next_attempt_at__lt=case.now - _LATE)
    failed = deliveries.filter(status=DeliveryStatus.FAILED, created_at__gte=case.now - _DAY)
    if not webhook.is_active:
        notes.ok(name, "switched off")
    elif not _is_readable(webhook):
        notes.problem(
            name,
            "its address and secret cannot be read",
            "They are sealed with another SECRET_KEY than this one: it is told nothing.",
            "Put the former key into SECRET_KEY_FALLBACKS and run `manage.py reseal_secrets`, or delete the "
            "webhook and make it anew.",
        )
    elif webhook.paused_at is not None:
        notes.warn(
            name,
            f"paused since {webhook.paused_at:%Y-%m-%d %H:%M} UTC ({webhook.paused_reason})",
            "It failed again and again, and is told nothing any more.",
            "Mend its receiver, then resume it in the console, at Webhooks.",
        )
    elif overdue.exists():
        notes.problem(
            name,
            f"{overdue.count():,} deliveries are overdue",
            "Nobody sends them.",
            "`manage.py deliver_events`; is the scheduler running? `manage.py doctor --only workers`.",
        )
    elif webhook.failing_since is not None or failed.exists():
        last = Delivery.objects.filter(webhook=webhook).exclude(error="").order_by("-created_at").first()
        notes.warn(
            name,
            f"fails ({last.error if last else 'no cause is known'})"[:200],
            "Its receiver refuses what it is told, or is not there; it is paused if that goes on.",
            "Look at its deliveries in the console, mend the receiver, and replay what was given up.",
        )
    else:
        notes.ok(name, "takes what it is told")


def _is_readable(one: Webhook | AlertChannel) -> bool:
    try:
        for sealed in filter(None, (one.sealed_url, one.sealed_secret)):  # a channel needs no secret
            unseal(sealed)
    except Unsealable:
        return False
    return True

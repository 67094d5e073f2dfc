"""Making and changing rules, channels and silences as people mean it: checked, and addresses sealed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from ops.audit.recording import record
from ops.webhooks.saving import shown
from ops.webhooks.sealing import seal
from prompts.errors import Refused
from prompts.models import User
from vectors import outgoing

from . import metrics
from .errors import AlertProblem
from .models import (
    MAX_ADDRESSES,
    MAX_CHANNELS,
    MAX_REASON,
    MAX_RULES,
    Alert,
    AlertChannel,
    AlertRule,
    AlertSilence,
    ChannelKind,
    Comparison,
)

MAX_SILENCE: Final = timedelta(days=30)
MAX_FOR_SECONDS: Final = 86_400
LEAST_SECRET: Final = 16
# What a rule waits for counts anew when one of these is another.
_RESTARTING: Final = ("metric", "comparison", "threshold", "for_seconds", "enabled")
CHANNEL_FIELDS: Final = (
    "name", "kind", "url", "secret", "addresses", "min_severity", "enabled", "sends_cleared", "remind_hours",
)  # fmt: skip
_SEALED: Final = {"url": ("sealed_url", "shown_url"), "secret": ("sealed_secret",)}


def check_rule(rule: AlertRule) -> None:
    """Raises ``AlertProblem``."""
    if not rule.name.isprintable():
        raise AlertProblem("name", "printable characters", repr(rule.name[:40]))
    if rule.metric not in metrics.METRICS:
        raise AlertProblem("metric", "a figure that AFN measures", repr(rule.metric[:40]))
    for name in ("threshold", "clear"):
        if not math.isfinite(getattr(rule, name)):
            raise AlertProblem(name, "a number", repr(getattr(rule, name)))
    if rule.comparison == Comparison.BELOW and not rule.clear > rule.threshold:
        raise AlertProblem("clear", f"more than the threshold, {rule.threshold:g}", f"{rule.clear:g}")
    if rule.comparison != Comparison.BELOW and not rule.clear < rule.threshold:
        raise AlertProblem("clear", f"less than the threshold, {rule.threshold:g}", f"{rule.clear:g}")
    if not 0 <= rule.for_seconds <= MAX_FOR_SECONDS:
        raise AlertProblem("for_seconds", f"0 to {MAX_FOR_SECONDS}", str(rule.for_seconds))


def save_rule(rule: AlertRule, changed: list[str]) -> None:
    """A new one, or these fields of one: its state is that of the last look. Raises ``AlertProblem``."""
    check_rule(rule)
    with transaction.atomic():
        if rule._state.adding:
            if AlertRule.objects.count() >= MAX_RULES:
                raise Refused("name", f"at most {MAX_RULES} rules", "one more", "Delete one of them.")
            rule.save(force_insert=True)
            return
        rule.save(update_fields=[*changed, "updated_at"])
        if set(changed) & set(_RESTARTING):
            AlertRule.objects.filter(pk=rule.pk).update(pending_since=None)


def save_channel(channel: AlertChannel, values: Mapping[str, Any]) -> AlertChannel:
    """Raises ``AlertProblem``, ``OutgoingRefused`` or ``ValidationError`` by field."""
    with transaction.atomic():
        apply(channel, values)
        if channel._state.adding:
            if AlertChannel.objects.count() >= MAX_CHANNELS:
                raise Refused("name", f"at most {MAX_CHANNELS} channels", "one more", "Delete one of them.")
            channel.save(force_insert=True)
        else:
            names = [column for name in values for column in _SEALED.get(name, (name,))]
            channel.save(update_fields=[*names, "updated_at"])
    return channel


def apply(channel: AlertChannel, values: Mapping[str, Any]) -> None:
    """Check, seal and set; nothing is saved."""
    for name, value in values.items():
        if name == "url":
            if value:
                outgoing.check_url(value, "url")
            channel.sealed_url, channel.shown_url = (seal(value), shown(value)) if value else ("", "")
        elif name == "secret":
            if value and len(value) < LEAST_SECRET:
                raise AlertProblem("secret", f"{LEAST_SECRET} characters or more, or none", "a shorter one")
            channel.sealed_secret = seal(value) if value else ""
        elif name in CHANNEL_FIELDS:
            setattr(channel, name, value)
    _check_channel(channel)


def _check_channel(channel: AlertChannel) -> None:
    if not 1 <= len(channel.name.strip()) <= 100 or not channel.name.isprintable():
        raise AlertProblem("name", "1 to 100 printable characters", repr(channel.name[:40]))
    if channel.kind not in ChannelKind.values:
        raise AlertProblem("kind", ", ".join(ChannelKind.values), repr(str(channel.kind)[:40]))
    if channel.kind != ChannelKind.EMAIL:
        if not channel.sealed_url:
            raise AlertProblem("url", "a URL such as https://example.org/path", "none")
        channel.addresses = []
        return
    if not 1 <= len(channel.addresses) <= MAX_ADDRESSES:
        raise AlertProblem("addresses", f"1 to {MAX_ADDRESSES} addresses", str(len(channel.addresses)))
    for address in channel.addresses:
        try:
            validate_email(address)
        except ValidationError:
            raise AlertProblem("addresses", "addresses such as ops@example.org", repr(address[:60])) from None


def silence(
    rule: AlertRule | None,
    until: datetime,
    reason: str,
    *,
    by: str,
    starts_at: datetime | None = None,
) -> AlertSilence:
    """Of one rule, or of all. Raises ``AlertProblem``."""
    made = AlertSilence(
        rule=rule, starts_at=starts_at or timezone.now(), until=until, reason=reason, created_by=by[:255]
    )
    check_silence(made)
    made.save(force_insert=True)
    return made


def check_silence(one: AlertSilence, now: datetime | None = None) -> None:
    """Raises ``AlertProblem``."""
    now = now or timezone.now()
    if one.until <= max(one.starts_at, now):
        raise AlertProblem("until", "a moment to come, after the start", f"{one.until:%Y-%m-%d %H:%M}")
    if one.until - max(one.starts_at, now) > MAX_SILENCE:
        raise AlertProblem("until", f"at most {MAX_SILENCE.days} days", f"{one.until:%Y-%m-%d %H:%M}")
    if not 1 <= len(one.reason.strip()) <= MAX_REASON:
        raise AlertProblem("reason", f"1 to {MAX_REASON} characters", f"{len(one.reason)}")


def acknowledge(alert: Alert, user: User) -> bool:
    """Somebody is at it: no reminders any more. False where somebody else was first, or it is over."""
    rows = Alert.objects.filter(pk=alert.pk, cleared_at=None, acknowledged_at=None)
    with transaction.atomic():
        if not rows.update(acknowledged_at=timezone.now(), acknowledged_by=user.get_username()[:255]):
            return False
        record("alert.acknowledged", kind="ops.alert", key=alert.pk, name=alert.rule_name)
    return True

"""An alert in words: as Slack, Discord, JSON and an e-mail have it. Always the same of one notification."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from django.conf import settings

from ops.webhooks import discord, slack
from ops.webhooks.wording import bounded

from . import metrics
from .models import (
    Alert,
    AlertChannel,
    AlertNotification,
    AlertRule,
    ChannelKind,
    NotificationEvent,
    Severity,
)

_HEADINGS: Final = {
    NotificationEvent.RAISED: "Alert",
    NotificationEvent.CLEARED: "Over",
    NotificationEvent.REMINDER: "Still open",
    NotificationEvent.TEST: "AFN says hello",
}
_GREEN: Final = 0x16A34A
_COLOURS: Final = {Severity.INFO: 0x4F46E5, Severity.WARNING: 0xF59E0B, Severity.CRITICAL: 0xDC2626}


def facts_of(alert: Alert, rule: AlertRule | None, now: datetime) -> dict[str, Any]:
    """As they are at the moment: a later attempt says the same."""
    return {
        "id": alert.pk,
        "rule": alert.rule_name,
        "metric": alert.metric,
        "severity": alert.severity,
        "started_at": alert.started_at.isoformat(),
        "cleared_at": alert.cleared_at.isoformat() if alert.cleared_at else None,
        "at": now.isoformat(),
        "value": alert.value,
        "worst": alert.worst,
        "last": alert.last,
        "limit": limit_of(rule) if rule else "",
        "note": alert.note,
        "description": rule.description if rule else "",
        "environment": settings.ENVIRONMENT,
    }


def facts_of_test(channel: AlertChannel, now: datetime) -> dict[str, Any]:
    text = f"This is a test of the channel {channel.name}. Nothing has happened."
    return {
        "rule": channel.name, "severity": Severity.INFO.value, "description": text, "at": now.isoformat(),
        "environment": settings.ENVIRONMENT,
    }  # fmt: skip


def limit_of(rule: AlertRule) -> str:
    text = f"{rule.comparison} {shown(rule.metric, rule.threshold)}"
    if not rule.for_seconds:
        return text
    seconds = rule.for_seconds
    return f"{text} for {seconds} s" if seconds % 60 else f"{text} for {seconds // 60} min"


def shown(metric: str, figure: float) -> str:
    known = metrics.get(metric)
    return known.shown(figure) if known else f"{figure:g}"


def body_of(notification: AlertNotification, kind: str) -> bytes:
    """What is posted to a channel of this kind."""
    facts, event = notification.facts, NotificationEvent(notification.event)
    body: dict[str, Any]
    if kind == ChannelKind.SLACK:
        body = slack.compose(_HEADINGS[event], facts["rule"], lines(notification))
    elif kind == ChannelKind.DISCORD:
        colour = _GREEN if event == NotificationEvent.CLEARED else _COLOURS[Severity(facts["severity"])]
        at = datetime.fromisoformat(facts["at"])
        body = discord.compose(_HEADINGS[event], facts["rule"], lines(notification), at, colour)
    else:
        body = {"id": notification.pk, "kind": kind_of(notification), "alert": facts}
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def kind_of(notification: AlertNotification) -> str:
    return f"alert.{notification.event}"


def subject_of(notification: AlertNotification) -> str:
    """One line: what an e-mail's subject takes."""
    facts = notification.facts
    heading = _HEADINGS[NotificationEvent(notification.event)]
    return bounded(f"[AFN {facts['environment']}] {heading}: {facts['rule']} ({facts['severity']})", 200)


def text_of(notification: AlertNotification) -> str:
    told = [f"{name}: {value}" for name, value in lines(notification)]
    return "\n".join([subject_of(notification), "", *told, ""])


def lines(notification: AlertNotification) -> list[tuple[str, str]]:
    """Names and values, each on one line and bounded."""
    facts, metric = notification.facts, notification.facts.get("metric")
    found: list[tuple[str, Any]] = [("severity", facts["severity"])]
    if metric:
        known = metrics.get(metric)
        found += [
            ("figure", str(known.title) if known else metric),
            ("value", shown(metric, facts["last"])),
            ("worst", shown(metric, facts["worst"])),
            ("limit", facts["limit"]),
            ("since", _moment(facts["started_at"])),
            ("over", _moment(facts["cleared_at"])),
            ("note", facts["note"]),
        ]
    if notification.event != NotificationEvent.CLEARED:
        found.append(("what to do" if metric else "about", facts["description"]))
    found.append(("environment", facts["environment"]))
    return [(name, bounded(value)) for name, value in found if value not in (None, "")]


def _moment(text: str | None) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC" if text else ""

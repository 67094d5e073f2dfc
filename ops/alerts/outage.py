"""That the database is down, told without it: by the rules and channels that this process has read last.

Schedules, rules and alerts are in the database, so that nobody evaluates while it is down. The thread of the
web server that looks after health goes on (`ops.health.watching`). Of the processes of a machine one tells;
when the database is back, it writes down what it has told, and from there on all is as with other alerts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from django.db import DatabaseError, IntegrityError, connections, transaction
from django.dispatch import receiver
from django.utils import timezone

from ops.health import sharing
from ops.health.signals import looked
from ops.health.states import Health, State, Status
from ops.webhooks.models import DeliveryStatus

from . import delivering, telling, wording
from .judging import is_past
from .models import Alert, AlertChannel, AlertNotification, AlertRule, AlertSilence, NotificationEvent
from .signals import tell

logger = logging.getLogger(__name__)
_READ_EVERY: Final = 30.0  # seconds
_TRIES: Final = 20  # of a channel, one at each look


@dataclass(frozen=True, slots=True)
class Known:
    """As it was read last: rules about figures that are known without the database, the quickest first."""

    rules: list[AlertRule] = field(default_factory=list)
    channels: list[AlertChannel] = field(default_factory=list)
    silences: list[AlertSilence] = field(default_factory=list)

    @classmethod
    def read(cls) -> Known:
        rules = AlertRule.objects.filter(enabled=True, metric__in=_METRICS).order_by("for_seconds", "name")
        channels = AlertChannel.objects.filter(enabled=True)
        return cls(list(rules), list(channels), list(AlertSilence.objects.filter(until__gt=timezone.now())))

    def due(self, health: Health, database: State, now: datetime) -> AlertRule | None:
        """By which it is to be told; none where nobody wants to know, or not now."""
        seconds = health.at - database.since
        for rule in self.rules:
            if seconds >= rule.for_seconds and is_past(rule, _METRICS[rule.metric](health)):
                return None if self._is_silenced(rule, now) else rule
        return None

    def _is_silenced(self, rule: AlertRule, now: datetime) -> bool:
        return any(
            one.rule_id in (None, rule.pk) and one.starts_at <= now < one.until for one in self.silences
        )


class Outages:
    """Of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._known = Known()
        self._read_at = float("-inf")
        self._alert: Alert | None = None
        self._left: list[AlertChannel] = []
        self._told: list[AlertNotification] = []
        self._tries = 0

    def see(self, health: Health) -> None:
        """Begin what there is to do, in a thread: who looks after health waits for nobody."""
        with self._lock:
            act = self._wanted(health)
            if act is not None and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=_run, args=[act], name="outage", daemon=True)
                self._thread.start()

    def _wanted(self, health: Health) -> Callable[[], None] | None:
        database, now = health.states.get("database"), datetime.fromtimestamp(health.at, UTC)
        if database is None:
            return None
        if database.status == Status.DOWN:
            if self._alert is None and (rule := self._known.due(health, database, now)):
                return lambda: self._begin(rule, health, database, now)
            return (lambda: self._tell(now)) if self._left else None
        if self._alert is not None:
            return lambda: self._end(now)
        return self._read if time.monotonic() - self._read_at >= _READ_EVERY else None

    def _read(self) -> None:
        self._known, self._read_at = Known.read(), time.monotonic()

    def _begin(self, rule: AlertRule, health: Health, database: State, now: datetime) -> None:
        figure = _METRICS[rule.metric](health)
        self._alert = alert = Alert(
            rule=rule, rule_name=rule.name, metric=rule.metric, severity=rule.severity, value=figure,
            worst=figure, last=figure, told_at=now, started_at=datetime.fromtimestamp(database.since, UTC),
        )  # fmt: skip
        if sharing.is_first(f"outage {database.since:.0f}"):
            self._left = [one for one in self._known.channels if telling.wants(one, alert)]
            self._told, self._tries = [], 0
            self._tell(now)

    def _tell(self, now: datetime) -> None:
        alert, left = self._alert, self._left
        if alert is None:
            return
        self._tries += 1
        facts = wording.facts_of(alert, alert.rule, now)
        facts["note"] = "The database is down: this is told without it, by one of the web servers."
        for channel in list(left):
            notification = AlertNotification(
                alert=alert, channel=channel, event=NotificationEvent.RAISED, facts=facts,
                status=DeliveryStatus.DELIVERED, attempts=self._tries, next_attempt_at=now,
            )  # fmt: skip
            outcome = delivering.attempt(notification)
            if outcome.is_delivered:
                notification.response_status, notification.duration_ms = outcome.status, outcome.duration_ms
                notification.delivered_at = timezone.now()
                self._told.append(notification)
            if outcome.is_delivered or self._tries >= _TRIES:
                left.remove(channel)

    def _end(self, now: datetime) -> None:
        """Tried again at the next look where the database is not quite there yet."""
        alert = self._alert
        if alert is not None and self._told:
            alert.cleared_at = now
            try:
                with transaction.atomic():
                    alert.save(force_insert=True)
                    AlertNotification.objects.bulk_create(self._told)
                    telling.cleared(alert, alert.rule, now)
                    tell(alert, "cleared")
            except IntegrityError:
                logger.warning("The alert %s is not kept: its rule or channel is gone", alert.rule_name)
        self._alert, self._left, self._told = None, [], []


def _run(act: Callable[[], None]) -> None:
    try:
        act()
    except DatabaseError as error:
        logger.warning("Alerts: the database cannot be used: %s", type(error).__name__)
    except Exception:
        logger.exception("Alerts: what the database's state asks for has failed")
    finally:
        connections.close_all()


def _down(health: Health) -> float:
    return float(sum(state.status == Status.DOWN for state in health.states.values()))


_METRICS: Final[dict[str, Callable[[Health], float]]] = {
    "not_ready": lambda health: float(not health.is_ready),
    "parts_down": _down,
    "health_database": lambda health: 2.0,
}
_outages: Final = Outages()


@receiver(looked, dispatch_uid="outages")
def see(health: Health, **_: Any) -> None:
    _outages.see(health)

"""One look at all rules: alerts raised and cleared, each with its notifications in one transaction.

Any number of processes may look at a time. A change of a rule's state is claimed by a conditional update, and
the database holds one open alert a rule, so that two who see the same raise it once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from . import metrics, telling
from .judging import Change, Verdict, judge, worse
from .models import Alert, AlertNotification, AlertRule, AlertSilence
from .signals import tell

KEPT: Final = timedelta(days=365)
_PRUNE_EVERY: Final = timedelta(hours=1)
_PRUNED: Final = 500
# So long without a figure, a rule is shown as one that watches nothing.
MISSING: Final = timedelta(minutes=10)
_pruned_at: datetime | None = None  # by this process


@dataclass(frozen=True, slots=True)
class Evaluated:
    raised: int = 0
    cleared: int = 0


def look(now: datetime | None = None) -> Evaluated:
    """Read the figures of all rules that are on, and evaluate."""
    global _pruned_at
    now = now or timezone.now()
    names = set(AlertRule.objects.filter(enabled=True).values_list("metric", flat=True))
    done = evaluate(now, metrics.read_all(names, now) if names else {})
    if _pruned_at is None or not timedelta(0) <= now - _pruned_at < _PRUNE_EVERY:
        _pruned_at = now
        prune(now)
    return done


def evaluate(now: datetime, values: Mapping[str, float | None]) -> Evaluated:
    """`values` are figures by the names of their metrics."""
    rules = list(AlertRule.objects.filter(enabled=True))
    alerts = {alert.rule_id: alert for alert in Alert.objects.filter(cleared_at=None, rule__enabled=True)}
    raised = cleared = 0
    for rule in rules:
        value, alert = values.get(rule.metric), alerts.get(rule.pk)
        verdict = judge(rule, alert is not None, value, now)
        if alert is not None and value is not None:
            _note(rule, alert, value)
        if value is None:
            continue
        if verdict.change == Change.RAISED:
            raised += _raise(rule, verdict, value, now)
        elif verdict.change == Change.CLEARED and alert is not None:
            cleared += _clear(alert, now, rule=rule)
        elif verdict.pending_since != rule.pending_since:
            _same(rule).update(pending_since=verdict.pending_since)
    _keep_values(rules, values, now)
    cleared += _clear_orphans(now)
    telling.tell_late(now)
    telling.remind(now)
    return Evaluated(raised, cleared)


def is_missing(rule: AlertRule, now: datetime) -> bool:
    """Has nobody measured its figure for long?"""
    return rule.enabled and now - (rule.measured_at or rule.created_at) > MISSING


def prune(now: datetime) -> int:
    """Forget alerts that were over a year ago, silences, and what was sent to try a channel."""
    before = now - KEPT
    old = list(Alert.objects.filter(cleared_at__lt=before).values_list("pk", flat=True)[:_PRUNED])
    if old:
        Alert.objects.filter(pk__in=old).delete()
    AlertNotification.objects.filter(alert=None, created_at__lt=before).delete()
    AlertSilence.objects.filter(until__lt=before).delete()
    return len(old)


def _same(rule: AlertRule) -> QuerySet[AlertRule]:
    """The rule, unless somebody has judged, changed or switched it off meanwhile."""
    return AlertRule.objects.filter(
        pk=rule.pk, enabled=True, updated_at=rule.updated_at, pending_since=rule.pending_since
    )


def _raise(rule: AlertRule, verdict: Verdict, value: float, now: datetime) -> int:
    try:
        with transaction.atomic():
            if _same(rule).update(pending_since=verdict.pending_since) != 1:
                return 0
            alert = Alert.objects.create(
                rule=rule, rule_name=rule.name, metric=rule.metric, severity=rule.severity,
                started_at=now, value=value, worst=value, last=value,
            )  # fmt: skip
            telling.raised(alert, rule, now)
            tell(alert, "raised")
    except IntegrityError:  # another process has just raised it
        return 0
    return 1


def _clear(alert: Alert, now: datetime, *, rule: AlertRule | None = None, note: str = "") -> int:
    with transaction.atomic():
        if Alert.objects.filter(pk=alert.pk, cleared_at=None).update(cleared_at=now, note=note) != 1:
            return 0
        if rule is not None:
            AlertRule.objects.filter(pk=rule.pk).update(pending_since=None)
        alert.cleared_at, alert.note = now, note
        telling.cleared(alert, rule, now)
        tell(alert, "cleared")
    return 1


def _clear_orphans(now: datetime) -> int:
    """What nobody watches any more is over."""
    count = 0
    for alert in Alert.objects.filter(cleared_at=None).exclude(rule__enabled=True).select_related("rule"):
        note = "Its rule was deleted." if alert.rule is None else "Its rule was switched off."
        count += _clear(alert, now, rule=alert.rule, note=note)
    return count


def _note(rule: AlertRule, alert: Alert, value: float) -> None:
    alert.last, alert.worst = value, worse(rule, alert.worst, value)
    Alert.objects.filter(pk=alert.pk, cleared_at=None).update(last=alert.last, worst=alert.worst)


def _keep_values(rules: list[AlertRule], values: Mapping[str, float | None], now: datetime) -> None:
    """In one statement, and of the rule nothing else."""
    known = [rule for rule in rules if values.get(rule.metric) is not None]
    for rule in known:
        rule.value, rule.measured_at = values[rule.metric], now
    if known:
        AlertRule.objects.bulk_update(known, ["value", "measured_at"])

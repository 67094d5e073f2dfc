"""What a figure means for a rule: a function of both and of how the rule stood, and of nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from .models import AlertRule, Comparison

# After so long without a figure nobody can say that it held all the while: the wait begins anew.
GAP: Final = timedelta(minutes=3)


class Change(StrEnum):
    NONE = "none"
    RAISED = "raised"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the rule stands from now on; `pending_since` stays while the alert is open."""

    change: Change
    pending_since: datetime | None


def judge(rule: AlertRule, is_open: bool, value: float | None, now: datetime) -> Verdict:
    """Reads `pending_since` and `measured_at` of the rule as they were before this figure. Without one
    nothing is raised and nothing is over.
    """
    if value is None:
        return Verdict(Change.NONE, rule.pending_since)
    if is_open:
        if is_clear(rule, value):
            return Verdict(Change.CLEARED, None)
        return Verdict(Change.NONE, rule.pending_since)
    if not is_past(rule, value):
        return Verdict(Change.NONE, None)
    since = rule.pending_since
    if since is None or rule.measured_at is None or now - rule.measured_at > GAP:
        since = now
    is_due = now - since >= timedelta(seconds=rule.for_seconds)
    return Verdict(Change.RAISED if is_due else Change.NONE, since)


def is_past(rule: AlertRule, value: float) -> bool:
    return value < rule.threshold if rule.comparison == Comparison.BELOW else value > rule.threshold


def is_clear(rule: AlertRule, value: float) -> bool:
    return value >= rule.clear if rule.comparison == Comparison.BELOW else value <= rule.clear


def worse(rule: AlertRule, one: float, other: float) -> float:
    return min(one, other) if rule.comparison == Comparison.BELOW else max(one, other)

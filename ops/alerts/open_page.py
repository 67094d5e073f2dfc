"""What is at the head of the console's list of alerts: those that are open, and what to do about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from prompts.models import User
from vectors.admin.display import duration, short_time

from . import metrics, saving, wording
from .errors import AlertProblem
from .models import MAX_REASON, Alert, AlertRule, AlertSilence, Severity

_MOST: Final = 100
DURATIONS: Final[dict[str, Any]] = {"1": _("1 hour"), "8": _("8 hours"), "24": _("1 day")}


@dataclass(frozen=True, slots=True)
class Card:
    alert: Alert
    severity: Any
    figure: str
    now: str
    worst: str
    limit: str
    silenced_until: datetime | None


def open_alerts() -> list[Alert]:
    """The worst first, then the newest."""
    found = Alert.objects.filter(cleared_at=None).select_related("rule")[:_MOST]
    return sorted(found, key=lambda alert: -Severity(alert.severity).rank)


def context(now: datetime | None = None) -> dict[str, Any]:
    """Two statements."""
    now = now or timezone.now()
    alerts = open_alerts()
    silences = AlertSilence.objects.filter(starts_at__lte=now, until__gt=now).order_by("until")
    until: dict[str | None, datetime] = dict(silences.values_list("rule_id", "until")) if alerts else {}
    return {
        "open_alerts": [_card(alert, until) for alert in alerts],
        "durations": DURATIONS.items(),
        "max_reason": MAX_REASON,
    }


def acknowledge(request: HttpRequest, object_id: str) -> HttpResponse:
    alert = _alert(object_id)
    if isinstance(request.user, User) and saving.acknowledge(alert, request.user):
        messages.success(request, gettext("Acknowledged: nobody is reminded of it any more."))
    else:
        messages.info(request, gettext("Somebody has acknowledged it already, or it is over."))
    return _back()


def silence(request: HttpRequest, object_id: str) -> HttpResponse:
    """Of the rule that raised the alert, from now on."""
    if not request.user.has_perm("ops.add_alertsilence"):
        raise PermissionDenied
    alert, hours = _alert(object_id), request.POST.get("hours", "")
    if hours not in DURATIONS:
        messages.error(request, gettext("Choose for how long."))
        return _back()
    if alert.rule is None:
        messages.error(request, gettext("Its rule is gone, and with it what could be silenced."))
        return _back()
    until = timezone.now() + timedelta(hours=int(hours))
    try:
        saving.silence(
            alert.rule, until, request.POST.get("reason", "").strip(), by=request.user.get_username()
        )
    except AlertProblem as problem:
        messages.error(request, str(problem))
        return _back()
    said = gettext("“%(rule)s” is silent until %(until)s.")
    messages.success(request, said % {"rule": alert.rule_name, "until": short_time(until)})
    return _back()


def title_of(metric: str) -> str:
    """What a figure is called, in the reader's language."""
    known = metrics.get(metric)
    return known.title.translated if known else metric


def limit_of(rule: AlertRule) -> str:
    """As ``wording.limit_of`` says it in messages."""
    figure = wording.shown(rule.metric, rule.threshold)
    values = {"comparison": rule.get_comparison_display(), "figure": figure}
    if not rule.for_seconds:
        return gettext("%(comparison)s %(figure)s") % values
    values["time"] = duration(rule.for_seconds)
    return gettext("%(comparison)s %(figure)s for %(time)s") % values


def _card(alert: Alert, until: Mapping[str | None, datetime]) -> Card:
    ends = [one for one in (until.get(alert.rule_id), until.get(None)) if one]
    return Card(
        alert,
        Severity(alert.severity).label,
        title_of(alert.metric),
        wording.shown(alert.metric, alert.last),
        wording.shown(alert.metric, alert.worst),
        limit_of(alert.rule) if alert.rule else "–",
        max(ends, default=None),
    )


def _alert(object_id: str) -> Alert:
    alert = Alert.objects.filter(pk=object_id).select_related("rule").first()
    if alert is None:
        raise Http404(gettext("There is no such alert."))
    return alert


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:ops_alert_changelist"))

"""What pages call parts, their statuses, their figures and limits, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .states import Health, Status
from .thresholds import OF_PARTS, Threshold

PARTS: Final[dict[str, Any]] = {
    "database": _("Database"),
    "replica": _("Replica"),
    "redis": _("Redis"),
    "broker": _("Queue"),
    "search": _("Vectors"),
    "workers": _("Workers"),
    "jobs": _("Jobs"),
    "scheduler": _("Scheduler"),
    "disk": _("Disk"),
    "backups": _("Backups"),
    "embedder": _("Embedder"),
}
STATUSES: Final[dict[str, Any]] = {
    Status.OK: _("OK"),
    Status.DEGRADED: _("degraded"),
    Status.DOWN: _("down"),
    Status.DISABLED: _("not configured"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """What the value of a part is: times `factor` it is in `unit`."""

    title: Any
    unit: str
    factor: float = 1.0


FIGURES: Final[dict[str, Figure]] = {
    "database": Figure(_("Time of a read"), "ms", 1_000),
    "replica": Figure(_("By how much the copy is behind"), "s"),
    "redis": Figure(_("Time of Redis's answer"), "ms", 1_000),
    "broker": Figure(_("Time of Redis's answer"), "ms", 1_000),
    "search": Figure(_("Time of a search"), "ms", 1_000),
    "workers": Figure(_("Since a worker gave a sign"), "s"),
    "jobs": Figure(_("Wait of the oldest job that is due"), "s"),
    "disk": Figure(_("Free part of the fullest disk"), "%", 100),
    "backups": Figure(_("Age of the newest backup"), "h", 1 / 3_600),
    "embedder": Figure(_("Prompts that wait"), ""),
}


def title_of(part: str) -> Any:
    return PARTS.get(part, part)


def titles_of_disabled(health: Health) -> list[Any]:
    """Of the parts that are not configured."""
    return [title_of(name) for name, state in health.states.items() if state.status == Status.DISABLED]


def word_of(status: str) -> Any:
    return STATUSES.get(status, status)


def limit_of(part: str) -> str:
    """The limit that decides about a part; nothing where it has none."""
    threshold = OF_PARTS.get(part)
    return _limit(threshold) if threshold else ""


def _limit(threshold: Threshold) -> str:
    limit, unit = threshold.limit, threshold.unit
    if unit == "s" and limit >= 3_600:
        limit, unit = limit / 3_600, "h"
    edge = gettext("%(meaning)s: at least %(limit)s")
    if not threshold.below:
        edge = gettext("%(meaning)s: at most %(limit)s")
    number = number_format(f"{limit:g}", force_grouping=True)
    return edge % {"meaning": gettext(threshold.meaning), "limit": f"{number} {unit}".strip()}

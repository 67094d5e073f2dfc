"""What the pages of operations show in words.

Libraries of tags are loaded while unfold's own modules are: nothing of the console may be imported above.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from ops.redis.findings import Finding

register = template.Library()
# Parts of the rule of what is kept of backups.
_KEEPS: Final = {
    "newest": _("newest"),
    "hourly": _("hourly"),
    "daily": _("daily"),
    "weekly": _("weekly"),
    "monthly": _("monthly"),
    "proved": _("last proved"),
}
_USES: Final = {"cache": _("cache"), "queue": _("queue")}
_LEVELS: Final = {"ok": _("ok"), "warning": _("warning"), "failure": _("problem")}
_FINDINGS: Final = {
    "connection": _("Connection"),
    "user": _("User"),
    "transport": _("Transport"),
    "version": _("Version"),
    "memory": _("Memory"),
    "eviction policy": _("Eviction policy"),
    "evictions": _("Evictions"),
    "persistence": _("Persistence"),
    "clients": _("Clients"),
    "clock": _("Clock"),
    "figures": _("Figures"),
}


@register.filter
def local_time(moment: datetime | None) -> SafeString | str:
    from ops import console

    return console.local_time(moment)


@register.filter
def ago(moment: datetime) -> str:
    now = timezone.now()
    if now - moment < timedelta(minutes=1):
        return gettext("just now")
    return gettext("%(time)s ago") % {"time": timesince(moment, now, depth=1)}


@register.filter
def with_code(text: str) -> SafeString:
    """A text that marks commands and settings by `…`."""
    parts = text.split("`")
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", one) if at % 2 else one,) for at, one in enumerate(parts))
    )


@register.filter
def kept_as(part: str) -> str:
    return str(_KEEPS.get(part, part))


@register.filter
def use_of(use: str) -> str:
    """Of a Redis."""
    return str(_USES.get(use, use))


@register.filter
def finding_name(finding: Finding) -> str:
    return str(_FINDINGS.get(finding.name, finding.name))


@register.filter
def finding_level(finding: Finding) -> str:
    return str(_LEVELS[finding.level])


@register.filter
def duration(time: timedelta) -> str:
    now = timezone.now()
    return timesince(now - time, now, depth=2)


@register.filter
def at(values: Mapping[str, Any], key: str) -> Any:
    return values.get(key)

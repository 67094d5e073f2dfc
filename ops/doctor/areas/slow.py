"""Statements that took long within a day."""

from datetime import timedelta
from typing import Final

from django.conf import settings

from ops.slow_queries.models import SlowQuery
from ops.slow_queries.reading import groups

from ..examining import Case
from ..findings import Notes

_MANY: Final = 100


def look(notes: Notes, case: Case) -> None:
    since = case.now - timedelta(days=1)
    count = SlowQuery.objects.filter(created_at__gte=since).count()
    if not settings.AFN_SLOW_QUERY_SECONDS:
        notes.ok("slow queries", "are not kept (AFN_SLOW_QUERY_SECONDS=0)")
        return
    if not count:
        notes.ok("slow queries", "none within a day")
        return
    worst = groups(1, since=since)[0]
    found = (
        f"{count:,} within a day; worst {worst.fingerprint}, {worst.count:,} times, {worst.longest:.1f} s "
        f"at most: {worst.latest.sql[:120]}"
    )
    if count < _MANY and worst.longest < 10 * settings.AFN_SLOW_QUERY_SECONDS:
        notes.ok("slow queries", found)
    else:
        notes.warn(
            "slow queries",
            found,
            "Who asks waits, and on a file so do all others of the process.",
            "`manage.py slow_queries` has the plans: SCAN of a large table wants an index (`manage.py "
            "doctor --only schema` finds those that are missing).",
        )

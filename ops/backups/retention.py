"""Which backups are kept: fewer the older they are (grandfather, father, son).

A rule such as "hourly=24 daily=7 weekly=5 monthly=12" keeps the newest backup of each of the last 24 hours
that have one, of each of the last 7 days that have one, and so on; and the newest of all, whatever the rule.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from .names import BackupName

PERIODS: Final[dict[str, Callable[[datetime], object]]] = {
    "hourly": lambda at: (at.date(), at.hour),
    "daily": lambda at: at.date(),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
}
_PART: Final = re.compile(rf"({'|'.join(PERIODS)})=(\d{{1,4}})")


def read_rule(text: str) -> dict[str, int]:
    """Raises ``ValueError`` for what is no rule."""
    parts = [_PART.fullmatch(part) for part in text.replace(",", " ").split()]
    if not parts or None in parts or len({part[1] for part in parts if part}) < len(parts):
        raise ValueError("Expected such as hourly=24 daily=7 weekly=5 monthly=12, each of them once at most")
    return {part[1]: int(part[2]) for part in parts if part}


def kept(names: Iterable[BackupName], rule: dict[str, int]) -> set[BackupName]:
    """Those of one environment's backups that are kept."""
    return set(reasons(names, rule))


def reasons(names: Iterable[BackupName], rule: dict[str, int]) -> dict[BackupName, list[str]]:
    """The same with the parts of the rule that keep each of them: `newest`, `hourly` and so on."""
    newest_first = sorted(names, reverse=True)
    found: dict[BackupName, list[str]] = {name: ["newest"] for name in newest_first[:1]}
    for period, count in rule.items():
        standing: dict[object, BackupName] = {}
        for name in newest_first:
            standing.setdefault(PERIODS[period](name.moment), name)
        for name in list(standing.values())[:count]:
            found.setdefault(name, []).append(period)
    return found

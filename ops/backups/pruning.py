"""Removing backups that are no longer kept, by the rule of AFN_BACKUPS_KEEP."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings

from . import folder, retention, s3
from .errors import BackupProblem
from .models import BackupDrill
from .names import BackupName

logger = logging.getLogger(__name__)


@dataclass
class Pruned:
    """What was removed, or would be, and what is kept; ``problems`` of those that could not be removed."""

    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    bytes: int = 0
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "removed": self.removed,
            "kept": self.kept,
            "bytes": self.bytes,
            "problems": self.problems,
        }


def prune(*, dry_run: bool = False) -> Pruned:
    """Remove, of each environment, what the rule does not keep; but never the last one that was proved.

    The folder and the bucket are each pruned by themselves, so that neither depends on the other.
    """
    found = Pruned()
    here = folder.stored()
    _prune({one.name: (str(one.path), one.bytes, one.path.unlink) for one in here}, found, dry_run=dry_run)
    if s3.is_configured():
        try:
            there = s3.stored()
            if not dry_run:
                s3.give_up_abandoned()
        except BackupProblem as problem:
            found.problems.append(str(problem))
        else:
            removals = {one.name: (s3.address(one.name), one.bytes, partial(s3.delete, one)) for one in there}
            _prune(removals, found, dry_run=dry_run)
    return found


Place = Mapping[BackupName, tuple[str, int, Callable[[], None]]]


def _prune(place: Place, found: Pruned, *, dry_run: bool) -> None:
    """One place: from each name to where the backup is, how large it is, and how it is removed."""
    keep = reasons(place)
    for name in sorted(place):
        where, size, remove = place[name]
        if name in keep:
            found.kept.append(where)
            continue
        try:
            if not dry_run:
                remove()
                logger.info("Pruned %s", where)
            found.removed.append(where)
            found.bytes += size
        except FileNotFoundError:
            continue
        except (OSError, BackupProblem) as error:
            found.kept.append(where)
            found.problems.append(f"{where} cannot be removed: {error}")


def reasons(place: Iterable[BackupName]) -> dict[BackupName, list[str]]:
    """Of the backups of one place those that are kept, with what keeps them: parts of the rule, `newest`,
    `proved`."""
    names, rule = set(place), retention.read_rule(settings.AFN_BACKUPS_KEEP)
    environments = {name.environment for name in names}
    found: dict[BackupName, list[str]] = {}
    for environment in environments:
        found |= retention.reasons((name for name in names if name.environment == environment), rule)
    for text in _last_proved(environments):
        name = BackupName.read(text)
        if name in names:
            found.setdefault(name, []).append("proved")
    return found


def _last_proved(environments: Collection[str]) -> list[str]:
    """The name of the last backup of each environment that a drill has proved."""
    proved = BackupDrill.objects.filter(ok=True).order_by("-backup_created_at")
    found = [
        proved.filter(backup__startswith=f"{environment}-2").values_list("backup", flat=True).first()
        for environment in environments
    ]
    return [name for name in found if name]

"""Room on the disks of the database, where that is a file, and of the backups."""

import shutil
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.translation import gettext_noop as _

from ops.health.states import Finding, Sample, Status, sample
from ops.health.thresholds import DISK_FREE, DISK_FREE_BYTES
from ops.said import Said, join, say

# By the name of a folder in `places`.
_ROOM: Final = {
    "database": _("database: %(free)s GB free of %(size)s"),
    "backups": _("backups: %(free)s GB free of %(size)s"),
}


def probe() -> Finding:
    status, details, samples = Status.OK, list[Said](), list[Sample]()
    least = 1.0
    for name, folder in places().items():
        usage = shutil.disk_usage(folder)
        share = usage.free / usage.total if usage.total else 0.0
        least = min(least, share)
        # A large disk may be nine tenths full for years.
        if DISK_FREE.is_crossed(share) and DISK_FREE_BYTES.is_crossed(usage.free):
            status = Status.DEGRADED
        free, size = f"{usage.free / 1e9:,.1f}", f"{usage.total / 1e9:,.1f}"
        details.append(say(_ROOM[name], free=free, size=size))
        samples.append(sample("afn_disk_free_bytes", usage.free, folder=name))
        samples.append(sample("afn_disk_size_bytes", usage.total, folder=name))
    return Finding(status, join(details), least, samples)


def places() -> dict[str, Path]:
    """By what they hold; of a folder that is not there yet, the one that it would be made in."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    found = {"backups": Path(settings.AFN_BACKUPS_DIR)}
    target = getattr(connection, "target", None)
    if target is not None and not target.is_remote and not target.is_memory:
        found = {"database": target.file.parent} | found
    return {name: _existing(folder) for name, folder in found.items()}


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.exists())

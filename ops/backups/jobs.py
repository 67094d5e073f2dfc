"""What workers, and on a laptop the web server's process, do about backups: by the schedule or when asked."""

from pathlib import Path
from typing import Any

from django.db import OperationalError

from ops.environments.current import get_provider
from ops.jobs import Run, job, start

from . import catalogue, folder, s3
from .drilling import drill
from .errors import BackupProblem, NotProved
from .making import Progress, back_up
from .pruning import prune
from .unpacking import unpack


@job("back_up", title="Back up", max_attempts=2, retry_on=(OperationalError,), alone=())
def back_up_now(run: Run) -> dict[str, Any]:
    """Make a backup of the database, and have it brought to the bucket where there is one."""
    made = back_up(get_provider(), progress=_progress(run))
    upload_soon()
    return made.as_json()


def upload_soon() -> None:
    """Have the newest backup brought to the bucket, where there is one."""
    if s3.is_configured():
        start("upload_backups", {})


@job(
    "upload_backups",
    title="Bring backups to the bucket",
    max_attempts=10,
    retry_on=(BackupProblem, OperationalError),
    alone=(),
)
def upload_backups(run: Run) -> dict[str, Any]:
    """Bring the newest backup to the bucket, and before it those that are missing there."""
    path = catalogue.newest(get_provider().current, _progress(run))
    return {"address": catalogue.publish(path, _progress(run)) or None}


@job(
    "drill_backup",
    title="Prove a backup",
    max_attempts=2,
    retry_on=(OperationalError,),
    alone=(),
)
def drill_newest(run: Run, backup: str = "") -> dict[str, Any]:
    """Restore a backup, the newest by default, beside the live database; fails where they differ."""
    path = _chosen(backup, run)
    found = drill(get_provider(), path, _progress(run))
    if not found.ok:
        raise NotProved(f"{path.name}: {found.proof.problems[0]}")
    return found.as_json()


@job(
    "verify_backup",
    title="Read a backup to its end",
    max_attempts=2,
    retry_on=(OperationalError,),
    alone=("backup",),
)
def verify(run: Run, backup: str = "") -> dict[str, Any]:
    """Read a backup, the newest by default, to its end: whether it is whole, and what is in it."""
    path, progress = _chosen(backup, run), _progress(run)
    found = unpack(path, progress=progress)
    return {"backup": path.name, "sha256": folder.sha256(path), **found.as_json()}


@job("prune_backups", title="Remove old backups", max_attempts=3, retry_on=(OperationalError,), alone=())
def prune_old(run: Run) -> dict[str, Any]:
    """Remove the backups that the rule of AFN_BACKUPS_KEEP does not keep."""
    found = prune()
    if found.problems:
        raise BackupProblem("; ".join(found.problems[:3]))
    return found.as_json()


def _chosen(backup: str, run: Run) -> Path:
    """The file of a backup, by its name; without one the newest."""
    if backup:
        return catalogue.fetch(backup, _progress(run))
    return catalogue.newest(get_provider().current, _progress(run))


def _progress(run: Run) -> Progress:
    return lambda step, done, total: run.progress(done, total or None, step)

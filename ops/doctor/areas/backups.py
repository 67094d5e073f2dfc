"""Backups: is there one of today, was one proved, can it be opened, and is one of them elsewhere?"""

from datetime import datetime
from typing import Final

from django.conf import settings
from pyrage.x25519 import Identity

from ops.backups import catalogue, folder, keys, s3
from ops.backups.catalogue import Catalogue
from ops.backups.drilling import last_proved
from ops.backups.errors import BackupProblem
from ops.backups.models import BackupDrill
from ops.environments import current
from ops.environments.base import EnvironmentProblem
from ops.health.thresholds import BACKUP_AGE, PROVED_AGE

from ..examining import Case
from ..findings import Notes

_LOST: Final = "What was written since is lost with the disk."


def look(notes: Notes, case: Case) -> None:
    """What the folder and the bucket say; the database is not asked."""
    try:
        found = catalogue.read(_environment())
    except BackupProblem as problem:
        notes.problem(
            "folder", str(problem), "No backup is made.", "Look at AFN_BACKUPS_DIR, its owner and rights."
        )
        return
    _look_at_age(notes, case.now, found)
    _look_at_key(notes)
    _look_at_bucket(notes, found)


def look_at_drills(notes: Notes, case: Case) -> None:
    proved = last_proved()
    newest = BackupDrill.objects.order_by("-created_at").first()
    if newest is not None and not newest.ok:
        notes.problem(
            "drill",
            f"the last one found {newest.backup} broken: {'; '.join(map(str, newest.problems[:2]))[:300]}",
            "It cannot be restored as it was.",
            "`manage.py backup_database`, then `manage.py drill_backup`; look at the disk.",
        )
    elif proved is None or PROVED_AGE.is_crossed((case.now - proved.created_at).total_seconds()):
        since = (
            "none was ever proved"
            if proved is None
            else f"none was proved since {proved.created_at:%Y-%m-%d}"
        )
        notes.warn(
            "drill",
            since,
            "A backup that was never restored is a hope.",
            "`manage.py drill_backup`; the schedule “Prove the newest backup” does so each night.",
        )
    else:
        notes.ok("drill", f"{proved.backup} was proved on {proved.created_at:%Y-%m-%d}")


def _look_at_age(notes: Notes, now: datetime, found: Catalogue) -> None:
    remedy = (
        "`manage.py backup_database` makes one now; the schedule “Back up” each night, if the scheduler "
        "runs (`manage.py doctor --only workers`)."
    )
    if not found.backups:
        add = notes.warn if settings.ENVIRONMENT == "development" else notes.problem
        add(
            "newest",
            f"there is none in {folder.folder()}",
            "What is in the database is nowhere else.",
            remedy,
        )
        return
    newest = found.backups[0]
    hours = (now - newest.name.moment).total_seconds() / 3_600
    if BACKUP_AGE.is_crossed(3_600 * hours):
        notes.problem("newest", f"{newest.name} is {hours:,.0f} h old", _LOST, remedy)
    else:
        notes.ok("newest", f"{newest.name} is {hours:,.1f} h old; {len(found.backups):,} in all")


def _look_at_key(notes: Notes) -> None:
    try:
        known: list[Identity] = keys.identities()
        recipients = keys.recipients(known)
    except BackupProblem as problem:
        notes.problem("key", str(problem), "No backup is made, and none opened.", "Set it to what it was.")
        return
    if recipients:
        end = "" if known else "; none of them can be opened here"
        notes.ok(
            "key",
            f"backups are encrypted for {len(recipients)} {'key' if len(recipients) == 1 else 'keys'}{end}",
        )
    elif s3.is_configured():
        notes.problem(
            "key",
            "backups go to a bucket without being encrypted",
            "Whoever reads the bucket reads everything.",
            "`manage.py backup_key FILE`, and AFN_BACKUP_KEY with what is in it; keep a copy elsewhere.",
        )
    else:
        notes.warn(
            "key",
            "backups are not encrypted",
            "Whoever gets at one reads everything that is in the database.",
            "`manage.py backup_key FILE`, and AFN_BACKUP_KEY with what is in it; keep a copy elsewhere.",
        )


def _look_at_bucket(notes: Notes, found: Catalogue) -> None:
    if not s3.is_configured():
        notes.warn(
            "elsewhere",
            f"all backups are on this machine, in {settings.AFN_BACKUPS_DIR}",
            "What takes the machine takes them along.",
            "AFN_BACKUPS_S3_BUCKET brings them to a bucket, too; or have another program copy the folder.",
        )
    elif found.problem:
        notes.problem(
            "elsewhere",
            found.problem,
            "No backup leaves this machine.",
            "Look at the AFN_BACKUPS_S3_ settings.",
        )
    elif found.backups and found.backups[0].there is None:
        notes.warn(
            "elsewhere",
            f"{found.backups[0].name} is not in the bucket",
            "What takes the machine takes it along.",
            "`manage.py backup_database` brings what is missing there.",
        )
    else:
        notes.ok("elsewhere", f"the newest is in {s3.address('')}")


def _environment() -> str:
    try:
        return current.get_provider().current
    except EnvironmentProblem:
        return ""

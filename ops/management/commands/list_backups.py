"""List the backups that there are, the newest first."""

from collections.abc import Iterable
from typing import Any

from django.db import DatabaseError

from ops.backups import catalogue, folder
from ops.backups.models import BackupDrill

from ._backups import BackupCommand, size


class Command(BackupCommand):
    help = "List the backups in AFN_BACKUPS_DIR, the newest first, and which of them a drill has proved."

    def handle(self, *args: Any, **options: Any) -> None:
        found = catalogue.read()
        drills = self._drills(str(one.name) for one in found.backups)
        if found.problem:
            self.stderr.write(self.style.WARNING(found.problem))
        if options["json"]:
            self.print_json([one.as_json() | _proof(drills.get(str(one.name))) for one in found.backups])
            return
        if not found.backups:
            self.stdout.write(f"No backups in {folder.folder()}. `manage.py backup_database` makes one.")
        for one in found.backups:
            drill = drills.get(str(one.name))
            proof = (
                f"{'proved' if drill.ok else 'FAILED'} {drill.created_at:%Y-%m-%d %H:%M}" if drill else "–"
            )
            where = " ".join(
                name for name, is_there in (("folder", one.here), ("bucket", one.there)) if is_there
            )
            lock = ("encrypted" if one.here.encrypted else "plain") if one.here else ""
            self.stdout.write(f"{one.name!s:<44} {size(one.bytes):>9}  {where:<13}  {lock:<9}  {proof}")

    def _drills(self, names: Iterable[str]) -> dict[str, BackupDrill]:
        """What drills have found, by backup: nothing while the database is lost, when this is read most."""
        drills = BackupDrill.objects.filter(backup__in=list(names)).order_by("created_at")
        try:
            return {one.backup: one for one in drills}
        except DatabaseError as error:
            self.stderr.write(
                self.style.WARNING(
                    f"Which ones were proved stands in the database, which cannot be read ({error}). "
                    "`manage.py restore_database FILE` makes it anew."
                )
            )
            return {}


def _proof(drill: BackupDrill | None) -> dict[str, Any]:
    return {"proved": drill and drill.ok, "drilled_at": drill and drill.created_at.isoformat()}

"""List the backups that there are, the newest first."""

from typing import Any

from ops.backups import catalogue, folder
from ops.backups.models import BackupDrill

from ._backups import BackupCommand, size


class Command(BackupCommand):
    help = "List the backups in AFN_BACKUPS_DIR, the newest first, and which of them a drill has proved."

    def handle(self, *args: Any, **options: Any) -> None:
        found = catalogue.read()
        names = [str(one.name) for one in found.backups]
        drills = {
            one.backup: one for one in BackupDrill.objects.filter(backup__in=names).order_by("created_at")
        }
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


def _proof(drill: BackupDrill | None) -> dict[str, Any]:
    return {"proved": drill and drill.ok, "drilled_at": drill and drill.created_at.isoformat()}

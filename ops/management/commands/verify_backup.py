"""Read a backup to its end, and say whether it is whole and what is in it."""

from typing import Any

from django.core.management.base import CommandParser

from ops.backups import folder
from ops.backups.catalogue import fetch
from ops.backups.unpacking import unpack

from ._backups import BackupCommand, Steps


class Command(BackupCommand):
    help = (
        "Read a backup to its end and check that all of it is as it was written. Whether it can be restored "
        "is what drill_backup tells."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="path of a backup, or its name in AFN_BACKUPS_DIR")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with Steps(quiet=options["json"]) as steps:
            file = fetch(options["file"], steps)
            found = unpack(file, progress=steps)
        if options["json"]:
            self.print_json({"ok": True, "path": str(file), "sha256": folder.sha256(file), **found.as_json()})
            return
        about, tables = found.about, found.manifest.tables
        self.stdout.write(
            self.style.SUCCESS(
                f"{file.name} is whole: {about.environment} ({about.engine}) of "
                f"{about.created_at:%Y-%m-%d %H:%M} UTC, {len(tables)} tables with "
                f"{sum(one.rows for one in tables.values()):,} rows, "
                f"{len(found.manifest.probes)} probe searches."
            )
        )

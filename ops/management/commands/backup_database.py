"""Make a backup of the database, which says itself what a restored one has to hold."""

from typing import Any

from django.core.management.base import CommandError

from ops.backups.catalogue import publish
from ops.backups.errors import BackupProblem
from ops.backups.making import back_up
from ops.environments.current import get_provider

from ._backups import BackupCommand, Steps, size


class Command(BackupCommand):
    help = (
        "Copy the database as it is at one moment, while others go on writing, with the hashes of all its "
        "rows and what searches find in it, to one file in AFN_BACKUPS_DIR."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with Steps(quiet=options["json"]) as steps:
            made = back_up(get_provider(), progress=steps)
            try:
                address = publish(made.path, steps)
            except BackupProblem as problem:
                raise CommandError(f"{made.path} is made, but not in the bucket: {problem}") from problem
        if made.unprotected:
            self.stderr.write(self.style.WARNING(made.unprotected))
        if options["json"]:
            self.print_json({**made.as_json(), "address": address or None})
            return
        rows = sum(made.tables.values())
        self.stdout.write(
            self.style.SUCCESS(
                f"{made.path}: {size(made.bytes)}, {len(made.tables)} tables with {rows:,} rows, "
                f"{made.probes} probe searches, in {sum(made.seconds.values()):.1f} s."
            )
        )
        if address:
            self.stdout.write(f"It is at {address}, too.")
        self.stdout.write("`manage.py drill_backup` proves that it can be restored.")

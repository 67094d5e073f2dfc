"""Remove backups that are no longer kept."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from ops.backups.pruning import prune

from ._backups import BackupCommand, size


class Command(BackupCommand):
    help = (
        "Remove backups by the rule of AFN_BACKUPS_KEEP. The newest of each environment and the last one "
        "that a drill has proved stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be removed, remove nothing"
        )
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        found = prune(dry_run=options["dry_run"])
        if options["json"]:
            self.print_json({**found.as_json(), "dry_run": options["dry_run"]})
        else:
            for one in found.removed:
                self.stdout.write(f"{'would remove' if options['dry_run'] else 'removed'} {one}")
            for problem in found.problems:
                self.stdout.write(self.style.ERROR(problem))
            self.stdout.write(
                f"{len(found.kept)} are kept ({settings.AFN_BACKUPS_KEEP}); {size(found.bytes)} are freed."
            )
        if found.problems:
            raise SystemExit(1)

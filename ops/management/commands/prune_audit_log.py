from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ops.audit.pruning import LEAST, prune
from vectors import commands

MAX_DAYS = 36_500


class Command(commands.Command):
    help = "Delete old lines of the audit log; that it was done, and by whom, is a line itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--keep-days",
            type=int,
            required=True,
            help=f"keep what is younger: {LEAST.days} days at least, 365 for a year",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["keep_days"]
        if not LEAST.days <= days <= MAX_DAYS:
            raise CommandError(f"--keep-days: expected {LEAST.days} to {MAX_DAYS}, got {days}.")
        count = prune(timedelta(days=days))
        self.stdout.write(f"{count} line{'' if count == 1 else 's'} deleted.")

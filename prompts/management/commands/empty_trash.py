import json
from datetime import timedelta
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from prompts import trash
from prompts.models import Prompt, PromptVersion
from vectors import commands

_MAX_DAYS: Final = 36_500


class Command(commands.Command):
    help = "Delete for good the prompts and versions that have been in the trash for long."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", type=float, default=30, help="days in the trash (default: 30)")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["older_than"]
        if not 0 <= days <= _MAX_DAYS:  # not of a number that is none, either
            raise CommandError(f"--older-than: expected 0 to {_MAX_DAYS:,} days, got {days}.")
        age = timedelta(days=days)
        counts = _count(age)
        if not options["dry_run"]:
            trash.purge(age)
        if options["json"]:
            self.stdout.write(json.dumps({**counts, "dry_run": options["dry_run"]}))
        else:
            verb = "would be deleted" if options["dry_run"] else "deleted"
            self.stdout.write(f"{counts['prompts']:,} prompts and {counts['versions']:,} versions {verb}")


def _count(age: timedelta) -> dict[str, int]:
    """Of versions those that leave a prompt behind."""
    moment = timezone.now() - age
    gone = Prompt.everything.filter(deleted_at__lt=moment)
    versions = PromptVersion.objects.filter(deleted_at__lt=moment).exclude(prompt__in=gone.values("pk"))
    return {"prompts": gone.count(), "versions": versions.count()}

import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from ops.setup import seed
from vectors import commands
from vectors.progress import track


class Command(commands.Command):
    help = "Import the bundled sample prompts, English and Japanese, and embed them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--force", action="store_true", help="also where ENVIRONMENT is not development")
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT != "development" and not options["force"]:
            raise CommandError(
                f"ENVIRONMENT is {settings.ENVIRONMENT}: samples belong into development. "
                "Set ENVIRONMENT=development, or pass --force."
            )
        quiet = options["json"] or options["verbosity"] == 0
        result = seed(track=lambda rows, label: track(rows, label, len(rows), quiet=quiet))
        if options["json"]:
            self.stdout.write(json.dumps(asdict(result), ensure_ascii=False))
        else:
            self.stdout.write(f"{result.created} sample prompts imported, {result.unchanged} were there.")

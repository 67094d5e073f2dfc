import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from prompts.exchange.evaluations import import_evaluations
from prompts.exchange.problems import ImportFileError
from vectors import commands
from vectors.progress import track


class Command(commands.Command):
    help = (
        'Import evaluations of versions, lines {"prompt", "version", "item", "score", "name"?, "metrics"?, '
        '"created_at"?}. What is there already changes nothing. Exit code 1 if a line was refused; the '
        "others are kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="JSON Lines file")
        parser.add_argument("--strict", action="store_true", help="write nothing if a line is refused")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--json", action="store_true", help="print the counts and refusals as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        quiet = options["json"] or options["verbosity"] == 0
        try:
            result = import_evaluations(
                options["file"],
                strict=options["strict"],
                dry_run=options["dry_run"],
                track=lambda rows, label: track(rows, label, len(rows), quiet=quiet),
            )
        except ImportFileError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(result), ensure_ascii=False))
        else:
            self.stdout.write(
                f"{result.created:,} created, {result.unchanged:,} unchanged, {len(result.failed):,} refused"
                + (" (dry run)" if options["dry_run"] else "")
            )
            for one in result.failed:
                self.stderr.write(f"line {one.line}: {one.field}: expected {one.expected}, got {one.got}")
        if result.failed:
            raise SystemExit(1)

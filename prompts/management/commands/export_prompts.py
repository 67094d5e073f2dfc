import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from prompts.exchange.exporting import FORMATS, export_prompts, format_of, has_history
from prompts.exchange.problems import ImportFileError
from prompts.exchange.registry import Selection, count_prompts
from vectors import commands
from vectors.progress import track


class Command(commands.Command):
    help = (
        "Export prompts. JSON Lines and Markdown folders have everything, and import_prompts reads them "
        "without loss; CSV, JSON and Langfuse's JSON keep what they have a place for."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="file ending in .jsonl, .csv or .json, or a folder")
        parser.add_argument(
            "--format", choices=FORMATS, default="", help="the format, whatever the file's name says"
        )
        parser.add_argument("--folder", default="", help="only prompts in this folder or below it")
        parser.add_argument("--tag", default="", help="only prompts with this tag")
        parser.add_argument(
            "--label", default="", help="only prompts with this label; without history its version"
        )
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--history",
            action="store_true",
            default=None,
            help="all versions (default, where the format can)",
        )
        which.add_argument(
            "--latest", action="store_true", help="one version of each prompt: the newest, or the label's"
        )
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            kind = options["format"] or format_of(options["path"])
            if options["history"] and not has_history(kind):
                raise CommandError(f"--history: expected a format with versions, got {kind}.")
            selection = Selection(
                folder=options["folder"],
                tag=options["tag"],
                label=options["label"],
                history=has_history(kind) and not options["latest"],
            )
            quiet = options["json"] or options["verbosity"] == 0
            total = count_prompts(selection)
            result = export_prompts(
                options["path"],
                selection,
                format=kind,
                watch=lambda records: track(records, "Exporting", total, quiet=quiet),
            )
        except (ImportFileError, OSError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(result)))
        else:
            self.stdout.write(
                f"{result.prompts:,} prompts, {result.versions:,} versions in {options['path']}"
            )

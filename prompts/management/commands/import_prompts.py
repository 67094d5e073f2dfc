import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import IntegrityError

from prompts.accounts import find_author
from prompts.import_files import ImportFileError
from prompts.importing import import_file
from vectors import commands
from vectors.errors import EmbedderError
from vectors.progress import track


class Command(commands.Command):
    help = (
        "Import prompts from a CSV, JSONL or JSON file. Rows that are there already change nothing, so a "
        "file can be imported again. Exit code 1 if a row was refused; the others are kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="columns or keys: title (or act), content (or prompt), …")
        parser.add_argument("--user", help="author: a user name or e-mail (default: the first superuser)")
        parser.add_argument("--source", default="", help="stored with the prompts (default: the file's name)")
        parser.add_argument("--strict", action="store_true", help="write nothing if a row is refused")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--json", action="store_true", help="print the counts and refusals as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        quiet = options["json"] or options["verbosity"] == 0
        try:
            result = import_file(
                options["file"],
                find_author(options["user"]),
                source=options["source"],
                strict=options["strict"],
                dry_run=options["dry_run"],
                track=lambda rows, label: track(rows, label, len(rows), quiet=quiet),
            )
        except ImportFileError as error:
            raise CommandError(str(error)) from error
        except IntegrityError as error:
            raise CommandError(
                "The prompts were changed by somebody else meanwhile. Run the import again: what is there "
                "already stays."
            ) from error
        except EmbedderError as error:
            raise CommandError(
                f"The prompts are saved, but not embedded: {error} Then run `manage.py embed_prompts`."
            ) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(result), ensure_ascii=False))
        else:
            self.stdout.write(
                f"{result.created} created, {result.updated} updated, {result.unchanged} unchanged, "
                f"{len(result.failed)} refused" + (" (dry run)" if options["dry_run"] else "")
            )
            for row in result.failed:
                self.stderr.write(f"line {row.line}: {row.field}: expected {row.expected}, got {row.got}")
        if result.failed:
            raise SystemExit(1)

"""Upsert a file of items into a collection."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError

from vectors import commands
from vectors.files import FORMATS
from vectors.importing import import_items

# Refused lines that are shown.
_SHOWN: Final = 20


class Command(commands.Command):
    help = (
        'Upsert the rows {"key", "text", "title"?, "metadata"?, "vector"?} of a file into a collection, '
        "which is created where it is missing. The file is JSON Lines, Parquet, or a NumPy array with its "
        "items in a .jsonl file beside it. Whatever stops an import, running it again completes it. Exits "
        "with 1 if a line was refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument("file", type=Path, help="file ending in .jsonl, .parquet or .npy")
        parser.add_argument("--format", choices=FORMATS, help="the format, whatever the file's name says")
        parser.add_argument(
            "--dimensions",
            type=int,
            help="create a missing collection for vectors of your own (default: with the default embedder)",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON, no progress")
        parser.add_argument("--strict", action="store_true", help="write nothing if any line is refused")

    def handle(self, *args: object, **options: Any) -> None:
        try:
            report = import_items(
                options["collection"],
                options["file"],
                format=options["format"],
                dimensions=options["dimensions"],
                strict=options["strict"],
                quiet=options["json"],
            )
        except OSError as error:
            raise CommandError(str(error)) from error
        refused = [asdict(refusal) for refusal in report.refused]
        if options["json"]:
            figures = {"collection": report.collection, **asdict(report.result), "refused": refused}
            self.stdout.write(json.dumps(figures, ensure_ascii=False))
        else:
            for one in refused[:_SHOWN]:
                self.stderr.write("line {line}: {field}: expected {expected}, got {got}".format(**one))
            if len(refused) > _SHOWN:
                self.stderr.write(f"… and {len(refused) - _SHOWN:,} more; --json lists all.")
            result = report.result
            self.stdout.write(
                f"{report.collection}: {result.inserted:,} inserted, {result.updated:,} updated, "
                f"{result.unchanged:,} unchanged, {len(refused):,} refused"
            )
        if refused:
            raise CommandError(
                f"{len(refused):,} lines were refused"
                + (", nothing was written" if options["strict"] else "")
            )

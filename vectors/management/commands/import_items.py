"""Upsert a JSON Lines file into a collection."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from vectors import commands
from vectors.importing import import_items


class Command(commands.Command):
    help = (
        'Upsert the lines {"key", "text", "title"?, "metadata"?} of a file into a collection, '
        "which is created with the default embedder where it is missing. Exits with 1 if a line was refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument("file", type=Path, help="JSON Lines file")
        parser.add_argument("--json", action="store_true", help="print the result as JSON, no progress")
        parser.add_argument("--strict", action="store_true", help="write nothing if any line is refused")

    def handle(self, *args: object, **options: Any) -> None:
        try:
            report = import_items(
                options["collection"], options["file"], strict=options["strict"], quiet=options["json"]
            )
        except OSError as error:
            raise CommandError(str(error)) from error
        refused = [asdict(refusal) for refusal in report.refused]
        if options["json"]:
            figures = {"collection": report.collection, **asdict(report.result), "refused": refused}
            self.stdout.write(json.dumps(figures, ensure_ascii=False))
        else:
            for one in refused:
                self.stderr.write("line {line}: {field}: expected {expected}, got {got}".format(**one))
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

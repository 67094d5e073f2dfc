"""Write the items of a collection to a file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from vectors import commands
from vectors.exporting import export_items
from vectors.files import FORMATS


class Command(commands.Command):
    help = (
        "Write the items of a collection to a file that import_items reads: JSON Lines, Parquet, or a NumPy "
        "array with its items in a .jsonl file beside it. The file appears once it is whole."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument("file", type=Path, help="file ending in .jsonl, .parquet or .npy")
        parser.add_argument("--format", choices=FORMATS, help="the format, whatever the file's name says")
        parser.add_argument(
            "--with-vectors", action="store_true", help="write embeddings too (.npy always has them)"
        )
        parser.add_argument("--filter", help="only the items that match this filter, in JSON")
        parser.add_argument("--json", action="store_true", help="print the result as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        condition = commands.json_option("--filter", options["filter"])
        try:
            report = export_items(
                options["collection"],
                options["file"],
                format=options["format"],
                with_vectors=options["with_vectors"],
                filter=condition,
                quiet=options["json"],
            )
        except OSError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report), ensure_ascii=False))
        else:
            self.stdout.write(f"{report.collection}: {report.items:,} items in {' and '.join(report.files)}")

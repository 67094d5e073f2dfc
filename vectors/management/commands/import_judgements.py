"""Upsert a file of judgements."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from vectors import commands
from vectors.catalogue import get_collection
from vectors.relevance.importing import import_judgements


class Command(commands.Command):
    help = (
        'Upsert judgements of a collection, all or none: lines {"query", "key", "grade"} or '
        '{"query", "relevant": {key: grade}}, or with --topics the lines "qid 0 docid grade" of TREC qrels.'
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument("file", type=Path, help="JSON Lines file, or qrels")
        parser.add_argument(
            "--topics", type=Path, help='the queries of qrels, lines of "qid", a tab and the query'
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        try:
            report = import_judgements(
                get_collection(options["collection"]),
                options["file"],
                options["topics"],
                quiet=options["json"],
            )
        except OSError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report), ensure_ascii=False))
            return
        self.stdout.write(
            f"{report.collection}: {report.queries:,} queries; {report.inserted:,} judgements inserted, "
            f"{report.updated:,} updated, {report.unchanged:,} unchanged, {report.repeated:,} repeated"
        )
        if report.missing_keys:
            self.stderr.write(
                f"{report.missing_keys:,} of the judged keys have no item in {report.collection}: they are "
                "kept, but no search can find them."
            )

"""Measure a collection's search on judged queries."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from vectors import commands
from vectors.catalogue import get_collection
from vectors.errors import VectorError
from vectors.evaluation import Judged, evaluate, parse_judged
from vectors.jsonl import parse_line, read_lines
from vectors.progress import track
from vectors.search import MODES


class Command(commands.Command):
    help = 'nDCG@10, MRR@10 and recall@10 of a collection over lines {"query", "relevant": {key: grade}}.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument("--queries", type=Path, required=True, help="judged queries, a JSON Lines file")
        parser.add_argument("--mode", choices=MODES, default="hybrid", help="how to search (default: hybrid)")
        parser.add_argument("--json", action="store_true", help="print the result as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        try:
            queries = list(_judged(options["queries"]))
            shown = track(queries, "Searching", len(queries), quiet=options["json"])
            quality = evaluate(get_collection(options["collection"]), shown, options["mode"])
        except OSError as error:
            raise CommandError(str(error)) from error
        figures = {
            "collection": options["collection"],
            "mode": options["mode"],
            "n": quality.n,
            "ndcg@10": round(quality.ndcg, 4),
            "mrr@10": round(quality.mrr, 4),
            "recall@10": round(quality.recall, 4),
        }
        if options["json"]:
            self.stdout.write(json.dumps(figures, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(f"{name:<12}{value}" for name, value in figures.items()))


def _judged(path: Path) -> Iterator[Judged]:
    for number, line in read_lines(path):
        try:
            yield parse_judged(parse_line(line))
        except VectorError as error:
            raise CommandError(f"line {number}: {error}") from error

"""Measure a collection's search."""

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
from vectors.evaluation import CUTOFF, Judged, parse_judged
from vectors.jsonl import parse_line, read_lines
from vectors.models import Collection
from vectors.progress import track
from vectors.relevance.measuring import Options, measure, modes_of
from vectors.relevance.models import QuerySource
from vectors.relevance.printing import report_lines
from vectors.relevance.queries import open_queries
from vectors.relevance.runs import evaluate_queries
from vectors.search import FUSIONS, MODES


class Command(commands.Command):
    help = (
        "nDCG@10, MRR@10 and recall of a collection's search, in each mode: by its judgements, or, where it "
        "has none, by queries made of its rows. Each run is kept and compared with the one before. With a "
        'file of lines {"query", "relevant": {key: grade}}, just the figures of one mode (default: hybrid).'
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument("file", type=Path, nargs="?", help="judged queries, a JSON Lines file")
        parser.add_argument("--queries", type=Path, help="the same file, by name")
        parser.add_argument(
            "--source", choices=QuerySource.values, help="judgements, or queries made of the rows"
        )
        parser.add_argument("--mode", choices=MODES, help="how to search (default: all modes)")
        parser.add_argument(
            "--fusion", choices=FUSIONS, default="convex", help="how hybrid fuses (default: convex)"
        )
        parser.add_argument(
            "--keyword-weight", type=float, help="share of keywords, 0…1, in place of the collection's"
        )
        parser.add_argument("-k", type=int, default=CUTOFF, help="recall among so many hits (default: 10)")
        parser.add_argument(
            "--compare", type=int, metavar="RUN", help="the run to compare with (default: the last)"
        )
        parser.add_argument("--no-store", action="store_true", help="do not keep the run")
        parser.add_argument("--json", action="store_true", help="print the result as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        if options["file"] and options["queries"]:
            raise CommandError("Name the file once: as an argument or as --queries.")
        path = options["file"] or options["queries"]
        if path is None:
            self._measure(get_collection(options["collection"]), options)
        elif options["source"] or options["compare"] is not None:
            raise CommandError("A file's figures are not kept: import_judgements first, then compare.")
        else:
            self._measure_file(path, options)

    def _measure(self, collection: Collection, options: Any) -> None:
        with open_queries(collection, options["source"]) as queries:
            count, quiet = len(queries.judged), options["json"]
            reports = evaluate_queries(
                collection,
                queries,
                _options(options, [options["mode"]] if options["mode"] else modes_of(collection)),
                compare=options["compare"],
                store=not options["no_store"],
                wrap=lambda judged: track(judged, "Searching", count, quiet=quiet),
            )
        if quiet:
            result = {
                "collection": collection.name,
                "source": queries.source,
                "n": count,
                "missing_keys": queries.missing_keys,
                "runs": [report.as_json() for report in reports],
            }
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        if queries.missing_keys:
            self.stderr.write(
                f"{queries.missing_keys:,} relevant keys have no item: no search can find them."
            )
        self.stdout.write(f"{collection.name}: {count:,} queries, {queries.source}")
        for report in reports:
            self.stdout.write("\n".join(report_lines(report)))

    def _measure_file(self, path: Path, options: Any) -> None:
        try:
            queries = list(_judged(path))
        except OSError as error:
            raise CommandError(str(error)) from error
        mode = options["mode"] or "hybrid"
        [measured] = measure(
            get_collection(options["collection"]),
            queries,
            _options(options, [mode]),
            wrap=lambda judged: track(judged, "Searching", len(queries), quiet=options["json"]),
        )
        means = zip(measured.names, measured.scores.mean(axis=0).tolist(), strict=True)
        figures = {
            "collection": options["collection"],
            "mode": mode,
            "n": len(queries),
            **{name: round(mean, 4) for name, mean in means},
        }
        if options["json"]:
            self.stdout.write(json.dumps(figures, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(f"{name:<12}{value}" for name, value in figures.items()))


def _options(options: Any, modes: Any) -> Options:
    return Options(tuple(modes), options["fusion"], options["keyword_weight"], options["k"])


def _judged(path: Path) -> Iterator[Judged]:
    for number, line in read_lines(path):
        try:
            yield parse_judged(parse_line(line))
        except VectorError as error:
            raise CommandError(f"line {number}: {error}") from error

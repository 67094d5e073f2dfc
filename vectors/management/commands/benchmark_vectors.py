"""Measure vector search on one's own embeddings, beside other libraries."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from vectors import commands
from vectors.benchmarking import afn, environment, plotting
from vectors.benchmarking.commands import measured
from vectors.benchmarking.errors import InvalidBenchmark
from vectors.benchmarking.options import Options
from vectors.benchmarking.report import as_markdown, as_table
from vectors.benchmarking.run import run
from vectors.strategies import STRATEGIES


class Command(commands.Command):
    help = (
        "Speed, recall, memory and disk of vector search on embeddings of your own, by each strategy and, "
        "with --peers, beside other libraries. Works in temporary files; your database is not touched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dataset", type=Path, help="embeddings: a .npy file of float16 or float32, (rows, dimensions)"
        )
        parser.add_argument("--synthetic", metavar="ROWSxDIMS", help="made-up rows instead, e.g. 1000000x384")
        parser.add_argument("--rows", type=int, metavar="N", help="take only the first N rows of the file")
        parser.add_argument("--k", type=int, default=10, help="neighbours to find (default: 10)")
        parser.add_argument(
            "--strategies",
            default=",".join(STRATEGIES),
            help="strategies of AFN's, separated by commas (default: all)",
        )
        parser.add_argument(
            "--peers",
            action="store_true",
            help="measure other libraries, too; installs them first if need be",
        )
        parser.add_argument(
            "--peers-python",
            type=Path,
            metavar="PYTHON",
            help=f"the Python of an environment of your own that has {environment.REQUIREMENTS.name}",
        )
        parser.add_argument("--json", action="store_true", help="print the figures as JSON, no progress")
        parser.add_argument(
            "--markdown", type=Path, metavar="FILE", help="write a page with the table as well"
        )
        parser.add_argument("--plot", type=Path, metavar="FILE", help="draw recall over time: .svg or .png")
        # For the benchmark's own processes only: what to do is told on their input.
        parser.add_argument("--part", action="store_true", help=argparse.SUPPRESS)

    def handle(self, *args: object, **options: Any) -> None:
        if options["part"]:
            self.stdout.write(json.dumps(afn.run_part(json.load(sys.stdin))))
            return
        wanted = Options(
            dataset=options["dataset"],
            synthetic=options["synthetic"],
            rows=options["rows"],
            k=options["k"],
            strategies=tuple(dict.fromkeys(filter(None, map(str.strip, options["strategies"].split(","))))),
            peers=options["peers"],
            peers_python=options["peers_python"],
            quiet=options["json"],
        )
        markdown, plot = options["markdown"], options["plot"]
        for option, path in (("--markdown", markdown), ("--plot", plot)):
            if path and (path.is_dir() or not path.absolute().parent.is_dir()):
                raise InvalidBenchmark(option, "a file in a folder that is there", str(path))
        with measured():
            if plot:
                plotting.check(plot)
                if not wanted.peers or wanted.peers_python:  # else it comes with the peers
                    plotting.find_python(wanted.peers_python)
            report = run(wanted)
            text = json.dumps(report, ensure_ascii=False) if options["json"] else as_table(report)
            self.stdout.write(text)
            if markdown:
                markdown.write_text(as_markdown(report), encoding="utf-8")
            if plot:
                plotting.draw(report, plot, plotting.find_python(wanted.peers_python))

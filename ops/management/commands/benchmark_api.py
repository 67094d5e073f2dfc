import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from ops import api_benchmark
from vectors import commands
from vectors.benchmarking.commands import measured
from vectors.benchmarking.errors import InvalidBenchmark
from vectors.benchmarking.report import as_table
from vectors.limits import MAX_K


class Command(commands.Command):
    help = (
        "Search by vector over HTTP, as an application calls it: AFN's web server with two workers, and with "
        "--peers `chroma run` beside it. On a temporary database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dataset",
            type=Path,
            required=True,
            help="embeddings: a .npy file of float16 or float32, (rows, dimensions)",
        )
        parser.add_argument("--rows", type=int, metavar="N", help="take only the first N rows of the file")
        parser.add_argument("--k", type=int, default=10, help="neighbours to find (default: 10)")
        parser.add_argument(
            "--peers", action="store_true", help="measure Chroma, too; installs it first if need be"
        )
        parser.add_argument(
            "--peers-python", type=Path, metavar="PYTHON", help="the Python of an environment that has it"
        )
        parser.add_argument("--json", action="store_true", help="print the figures as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        if not 1 <= options["k"] <= MAX_K:
            raise InvalidBenchmark("--k", f"an integer from 1 to {MAX_K:,}", f"{options['k']:,}")
        with measured():
            report = api_benchmark.run(
                options["dataset"],
                k=options["k"],
                rows=options["rows"],
                peers=options["peers"],
                peers_python=options["peers_python"],
                quiet=options["json"],
            )
        self.stdout.write(json.dumps(report, ensure_ascii=False) if options["json"] else as_table(report))

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ops import serving_benchmark
from vectors import commands
from vectors.benchmarking.commands import measured


class Command(commands.Command):
    help = (
        "Serve prompts over HTTP with Redis and two workers, and count what wrk gets: cached, not cached and "
        "rendered, and health; with --mlflow-python, beside an MLflow server. On a temporary database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--prompts", type=int, default=10_000, help="prompts in the registry (default: 10,000)"
        )
        parser.add_argument("--seconds", type=int, default=10, help="of each measurement (default: 10)")
        parser.add_argument(
            "--mlflow-python", type=Path, metavar="PYTHON", help="the Python of an environment with mlflow"
        )
        parser.add_argument("--json", action="store_true", help="print the figures as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        if not 10 <= options["prompts"] <= 1_000_000 or not 1 <= options["seconds"] <= 600:
            raise CommandError("Expected 10 to 1,000,000 --prompts and 1 to 600 --seconds.")
        with measured():
            report = serving_benchmark.run(
                prompts=options["prompts"],
                seconds=options["seconds"],
                mlflow=options["mlflow_python"],
                quiet=options["json"],
            )
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False))
            return
        self.stdout.write(
            f"{report['prompts']:,} prompts, two workers, 16 connections (health: 1), "
            f"{report['seconds']} s each"
        )
        for one in report["runs"]:
            self.stdout.write(
                f"{one['name']:<22} {one['requests_per_second']:>8,.0f} requests/s  "
                f"p50 {one['p50_ms']:.1f} ms  p99 {one['p99_ms']:.1f} ms  {one['errors']} errors"
            )
        cost = report["cost"]
        added = ", ".join(f"{name} {milliseconds:.3f} ms" for name, milliseconds in cost["added_ms"].items())
        self.stdout.write(
            f"In one process a cached prompt takes {cost['bare_ms']:.3f} ms; to it add: {added}"
        )
        if report["times_mlflow"]:
            self.stdout.write(f"AFN serves {report['times_mlflow']:.1f} times as many as MLflow.")

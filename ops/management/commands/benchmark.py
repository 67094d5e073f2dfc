import argparse
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ops import benchmarks


class Command(BaseCommand):
    help = (
        "Measure speed, memory and recall against their targets, on a temporary database. "
        "Exit code 1 if a target is missed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--data",
            type=Path,
            required=True,
            help=f"folder with {benchmarks.PROMPTS_FILE} and {benchmarks.VECTORS_FILE}",
        )
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")
        # For the benchmark's own processes only.
        parser.add_argument("--part", choices=benchmarks.PARTS, help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        data = options["data"]
        for name in (benchmarks.PROMPTS_FILE, benchmarks.VECTORS_FILE):
            if not (data / name).is_file():
                raise CommandError(f"--data: expected a folder with {name}, got {data}.")
        if part := options["part"]:
            if not benchmarks.is_own_database():
                raise CommandError("--part: expected to be called by the benchmark, on its own database.")
            self.stdout.write(json.dumps(benchmarks.PARTS[part](data)))
            return
        figures = benchmarks.run(data, progress=lambda text: self.stderr.write(f"{text} …"))
        if options["json"]:
            self.stdout.write(json.dumps(figures, ensure_ascii=False))
        else:
            for name, figure in figures.items():
                verdict = self.style.SUCCESS("pass") if figure["pass"] else self.style.ERROR("FAIL")
                value = f"{figure['value']:>10.3f} {figure['unit']:<16}"
                self.stdout.write(f"{name:<24} {value} target {figure['target']:<8g} {verdict}")
        if not all(figure["pass"] for figure in figures.values()):
            raise SystemExit(1)

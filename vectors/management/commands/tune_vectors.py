"""Measure strategies and settings on a collection's own rows, and keep the cheapest that finds enough."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from vectors import commands, store
from vectors.progress import Meter
from vectors.upkeep.plotting import check_target, plot
from vectors.upkeep.tuning import QUERIES, Trial, Tuning, apply, judged_vectors, tune


class Command(commands.Command):
    help = (
        "Measure recall, latency and bytes of every strategy whose index is there, on the collection's own "
        "rows (each leaving itself out), and keep the cheapest settings that reach the recall."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument(
            "--recall", type=float, default=0.98, help="recall@k to reach (default: %(default)s)"
        )
        parser.add_argument("--k", type=int, default=10, help="rows a search gives (default: %(default)s)")
        parser.add_argument(
            "--queries", type=int, default=QUERIES, help="how many rows to ask with (default: %(default)s)"
        )
        parser.add_argument(
            "--judged", action="store_true", help="ask with the judged queries instead of rows"
        )
        parser.add_argument("--plot", type=Path, help="draw recall against latency into an .svg or .png file")
        parser.add_argument("--dry-run", action="store_true", help="measure only, keep nothing")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        if options["plot"]:
            check_target(options["plot"])
        collection = store.get_collection(options["collection"])
        queries = None
        if options["judged"]:
            queries = judged_vectors(collection, options["queries"])
        with Meter("Trying settings", quiet=options["json"]) as meter:
            tuning = tune(
                collection,
                target=options["recall"],
                k=options["k"],
                queries=queries,
                sample=options["queries"],
                progress=meter.show,
            )
        if not options["dry_run"]:
            apply(collection, tuning)
        if options["plot"]:
            plot(tuning, options["plot"])
        if options["json"]:
            self.stdout.write(json.dumps({**tuning.as_json(), "kept": not options["dry_run"]}))
            return
        for line in _table(tuning):
            self.stdout.write(line)
        self.stdout.write(f"{_name(tuning.chosen)} is the cheapest with recall {tuning.target:g} or more.")
        kept = "Nothing was kept (--dry-run)." if options["dry_run"] else "The settings are kept, and used."
        self.stdout.write(f"{kept} The plot is in {options['plot']}." if options["plot"] else kept)


def _table(tuning: Tuning) -> list[str]:
    lines = [f"{'strategy':<36}{f'recall@{tuning.k}':>10}{'p50 ms':>10}{'p95 ms':>10}{'bytes/row':>11}"]
    for trial in tuning.trials:
        size = "" if trial.bytes_per_row is None else f"{trial.bytes_per_row:,.0f}"
        mark = " ←" if trial is tuning.chosen else ""
        lines.append(
            f"{_name(trial):<36}{trial.recall:>10.4f}{trial.p50_ms:>10.2f}{trial.p95_ms:>10.2f}{size:>11}{mark}"
        )
    return lines


def _name(trial: Trial) -> str:
    settings = ", ".join(f"{name} {value:g}" for name, value in trial.settings.items())
    return f"{trial.strategy} ({settings})" if settings else trial.strategy

"""Build the index of a collection anew, while it is searched and written to."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from vectors import commands, store
from vectors.index.state import read_state
from vectors.index.training import rebuild
from vectors.progress import Meter
from vectors.sql import Tables
from vectors.strategies import STRATEGIES


class Command(commands.Command):
    help = (
        "Build the index of a collection anew, beside the one in use, and switch to it. "
        "Searches and writers go on meanwhile (with diskann, writers wait)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument(
            "--strategy",
            choices=[name for name in STRATEGIES if name != "exact"],
            help="what to build for (default: the collection's strategy)",
        )
        parser.add_argument(
            "--lists",
            type=int,
            help="how many inverted lists, 0 for none (default: 4 times the root of rows, where they pay)",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        lists = options["lists"]
        if lists is not None and lists < 0:
            raise CommandError(f"--lists: expected a number from 0, got {lists}.")
        collection = store.get_collection(options["collection"])
        strategy = options["strategy"] or collection.strategy
        before = read_state(Tables.of(collection), str(collection._state.db))
        started = time.monotonic()
        with Meter("Coding rows", quiet=options["json"]) as meter:
            state = rebuild(collection, strategy=strategy, lists=lists, progress=meter.show)
        seconds = time.monotonic() - started
        figures = {
            "collection": collection.name,
            "strategy": strategy,
            "rows": state.rows,
            "lists": state.lists,
            "probes": state.settings.get("ivf", {}).get("probes", 0),
            "diskann": state.is_diskann,
            "seconds": round(seconds, 3),
        }
        if options["json"]:
            self.stdout.write(json.dumps(figures, ensure_ascii=False))
            return
        lists_of = f", {state.lists:,} lists, of which {figures['probes']} are probed" if state.lists else ""
        kind = "DiskANN" if strategy == "diskann" else f"{state.rows:,} codes{lists_of}"
        dropped = f"; the {before.lists:,} lists are gone" if before.lists and not state.lists else ""
        self.stdout.write(f"{collection.name}: {kind}, in {seconds:,.1f} s{dropped}")

"""Search any collection from a shell."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any, Final

from vectors import commands
from vectors.search import MODES, Hit, search
from vectors.strategies import STRATEGIES

_WIDTH: Final = 100


class Command(commands.Command):
    help = "Search a collection by meaning and by words."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument("query", help="what you look for, in your own words")
        parser.add_argument("-k", type=int, default=10, help="how many results (default: %(default)s)")
        parser.add_argument("--mode", default="hybrid", help=f"one of {', '.join(MODES)} (default: hybrid)")
        parser.add_argument("--filter", help="""only items that match, in JSON: '{"lang": "en"}'""")
        parser.add_argument("--strategy", help=f"one of {', '.join(STRATEGIES)} (default: the collection's)")
        parser.add_argument("--plan", action="store_true", help="say how the hits were found")
        parser.add_argument("--json", action="store_true", help="print hits and plan as JSON")

    def handle(self, *args: object, **options: Any) -> None:
        condition = commands.json_option("--filter", options["filter"])
        found = search(
            options["collection"],
            options["query"],
            k=options["k"],
            mode=options["mode"],
            filter=condition,
            strategy=options["strategy"],
        )
        if options["json"]:
            answer = {"hits": list(map(_shown, found.hits)), "plan": found.plan, "took_ms": found.took_ms}
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
            return
        for number, hit in enumerate(found.hits, start=1):
            self._print(number, hit)
        if not found.hits:
            self.stdout.write("Nothing matches. Try other words, another --mode, or another --filter.")
        if options["plan"]:
            steps = ", ".join(f"{name} {value}" for name, value in found.plan.items())
            self.stdout.write(f"plan: {steps}")
        self.stdout.write(f"{len(found.hits):,} results in {found.took_ms:.1f} ms")

    def _print(self, number: int, hit: Hit) -> None:
        distance = "" if hit.distance is None else f"  distance {hit.distance:.3f}"
        self.stdout.write(self.style.MIGRATE_HEADING(f"{number}. {hit.key}") + distance)
        words = " ".join(f"{hit.title} {hit.text}".split())
        self.stdout.write(f"   {words[:_WIDTH]}{'…' if len(words) > _WIDTH else ''}")


def _shown(hit: Hit) -> dict[str, Any]:
    return {name: value for name, value in asdict(hit).items() if name != "row"}

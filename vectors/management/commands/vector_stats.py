"""What a collection and its index are at."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from vectors import commands, store
from vectors.upkeep.stats import Stats, read_stats


class Command(commands.Command):
    help = "Rows, codes, lists and bytes of a collection."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, *args: object, **options: Any) -> None:
        stats = read_stats(store.get_collection(options["collection"]))
        if options["json"]:
            self.stdout.write(json.dumps(stats.as_json(), ensure_ascii=False))
        else:
            for label, text in _lines(stats):
                self.stdout.write(f"{label:<12} {text}")


def _lines(stats: Stats) -> list[tuple[str, str]]:
    state = stats.state
    lines = [
        ("collection", f"{stats.name}: {stats.rows:,} rows, {stats.dimensions} dimensions, {stats.metric}"),
        ("strategy", stats.strategy),
    ]
    if state.version:
        lines.append(
            ("codes", f"{state.rows:,}, {stats.dead:,} of deleted rows; {stats.tail:,} rows without")
        )
    else:
        lines.append(("codes", "none: searches measure every row"))
    if stats.lists:
        sizes = f"{stats.lists.shortest:,} to {stats.lists.longest:,} rows, median {stats.lists.median:,}"
        probes = state.settings.get("ivf", {}).get("probes", "?")
        lines.append(
            ("lists", f"{state.lists:,} of {state.lists_rows:,} rows ({sizes}); {probes} are probed")
        )
    lines.append(("diskann", "yes" if state.is_diskann else "no"))
    if tuned := state.settings.get("tuned_at"):
        lines.append(("tuned", f"{tuned}, recall@{state.settings['k']} {state.settings['target']:g}"))
    if stats.sizes is not None:
        lines += [(kind, f"{size / 2**20:,.1f} MB") for kind, size in stats.sizes.items() if size]
        if stats.index_bytes and stats.raw_bytes:
            ratio = stats.index_bytes / stats.raw_bytes
            lines.append(("over raw", f"{ratio:.3f} × the embeddings (items and full text not counted)"))
    return lines

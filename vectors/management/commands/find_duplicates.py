"""Find near-identical items in a collection."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from vectors import commands
from vectors.catalogue import get_collection
from vectors.duplicates.finding import Duplicates, find_duplicates
from vectors.duplicates.thresholds import DEFAULT
from vectors.progress import track


class Command(commands.Command):
    help = (
        "Find items of a collection that are near-identical by their embeddings: groups around one item, "
        "with the similarity (or, under l2, the distance) of each other to it. Of a collection with inverted "
        "lists only items that share one are compared, or with --exact all."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument(
            "--threshold",
            type=float,
            help=f"least cosine similarity (default: {DEFAULT}), or greatest distance under l2",
        )
        parser.add_argument("--limit", type=int, default=20, help="groups to show (default: 20)")
        parser.add_argument("--exact", action="store_true", help="compare each item with every other")
        parser.add_argument("--json", action="store_true", help="print the result as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        collection, quiet = get_collection(options["collection"]), options["json"]
        found = find_duplicates(
            collection,
            options["threshold"],
            exact=options["exact"],
            limit=options["limit"],
            wrap=lambda steps, total: track(steps, "Comparing", total, quiet=quiet),
        )
        if quiet:
            self.stdout.write(
                json.dumps({"collection": collection.name, **asdict(found)}, ensure_ascii=False)
            )
        else:
            self.stdout.write("\n".join(_lines(collection.name, found)))


def _lines(name: str, found: Duplicates) -> Iterator[str]:
    for number, group in enumerate(found.groups, start=1):
        of = group.representative
        yield f"{number}. {group.size:,} items, near {of.key}  {of.title}".rstrip()
        for member in group.members:
            yield f"   {member.measure:.4f}  {member.key}  {member.title}".rstrip()
        if more := group.size - 1 - len(group.members):
            yield f"   and {more:,} more"
    yield (
        f"{name}: {found.duplicates:,} of {found.rows:,} items repeat another, in {found.found:,} groups"
        + (
            f", the {len(found.groups):,} largest of which are shown"
            if len(found.groups) < found.found
            else ""
        )
    )

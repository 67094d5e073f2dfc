"""Print all judgements of a collection."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from vectors import commands
from vectors.catalogue import get_collection
from vectors.relevance.importing import export_judgements


class Command(commands.Command):
    help = (
        'Print the judgements of a collection as lines {"query", "key", "grade"}, as import_judgements reads.'
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")

    def handle(self, *args: object, **options: Any) -> None:
        for line in export_judgements(get_collection(options["collection"])):
            self.stdout.write(line)

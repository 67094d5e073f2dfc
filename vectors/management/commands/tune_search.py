"""Choose the keyword weights of a collection."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from vectors import commands
from vectors.catalogue import get_collection
from vectors.progress import track
from vectors.relevance import weights
from vectors.relevance.models import QuerySource
from vectors.relevance.printing import tuned_lines
from vectors.relevance.tuning import tune_collection


class Command(commands.Command):
    help = (
        "Choose how much keywords weigh in hybrid search, apart for Japanese, Chinese and Korean queries and "
        "all others: by judgements, or, in a language that has none, by queries made of the rows. What is "
        "not certainly better is not chosen."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument(
            "--source", choices=QuerySource.values, help="judgements, or queries made of the rows"
        )
        parser.add_argument("--apply", action="store_true", help="save the weights that were chosen")
        parser.add_argument("--json", action="store_true", help="print the result as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        collection, quiet = get_collection(options["collection"]), options["json"]
        tuned = tune_collection(
            collection,
            options["source"],
            wrap=lambda judged: track(judged, "Searching", len(judged), quiet=quiet),
        )
        changes = {language: one.chosen for language, one in tuned.items() if one.is_change}
        applied = bool(changes) and options["apply"]
        if applied:
            weights.apply(collection, other=changes.get("other"), cjk=changes.get("cjk"))
        if quiet:
            languages = {language: one.as_json() for language, one in tuned.items()}
            result = {"collection": collection.name, "languages": languages, "applied": applied}
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        for one in tuned.values():
            self.stdout.write("\n".join(tuned_lines(one)))
        if applied:
            self.stdout.write(f"{collection.name}: saved.")
        elif changes:
            self.stdout.write("Nothing was saved; --apply does.")

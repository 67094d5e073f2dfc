import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from prompts import indexing
from prompts.models import Prompt
from vectors import commands
from vectors.progress import track


class Command(commands.Command):
    help = (
        "Bring the search index up to date: embed prompts that are new or changed, take out those that are "
        "gone, and give prompts inserted with plain SQL their first version."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rebuild",
            action="store_true",
            help="embed everything anew, with the embedder set now; searches find little until it is done",
        )
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        quiet, total = options["json"] or options["verbosity"] == 0, Prompt.objects.count()
        if options["rebuild"]:
            indexing.rebuild_collection()
        elif used := indexing.other_embedder():
            self.stderr.write(
                f"The index was made by {used}, which it keeps using; AFN_EMBEDDER names another. "
                "Pass --rebuild to change over. migrate_embeddings does so while searches go on."
            )
        result = indexing.index_everything(
            track=lambda prompts: track(prompts, "Embedding", total, quiet=quiet)
        )
        counts = asdict(result)
        if options["json"]:
            self.stdout.write(json.dumps(counts))
        else:
            self.stdout.write(", ".join(f"{count} {name}" for name, count in counts.items()))

from typing import Any

from django.conf import settings

from ops.setup import init_database, seed
from vectors import commands
from vectors.progress import track


class Command(commands.Command):
    help = (
        "Create or update the tables and the collection of prompts. With ENVIRONMENT=development the "
        "bundled samples are imported too. Running it again changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        quiet = options["verbosity"] == 0
        collection = init_database(verbosity=options["verbosity"])
        self.stdout.write(
            f"The database is ready; prompts are embedded by {collection.embedder} "
            f"({collection.dimensions} dimensions)."
        )
        if settings.ENVIRONMENT == "development":
            result = seed(track=lambda rows, label: track(rows, label, len(rows), quiet=quiet))
            self.stdout.write(f"{result.created} sample prompts imported, {result.unchanged} were there.")

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import OperationalError

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
        try:
            collection = init_database(verbosity=options["verbosity"])
        except OperationalError as error:
            if "no such " not in str(error):
                raise  # a full disk and the like, of which the base class knows what to do
            raise CommandError(
                f"A migration failed, and what it did is undone: {error}. Run the version of AFN before it; "
                "`manage.py rehearse_migrations` repeats this on a copy."
            ) from error
        self.stdout.write(
            f"The database is ready; prompts are embedded by {collection.embedder} "
            f"({collection.dimensions} dimensions)."
        )
        if settings.ENVIRONMENT == "development":
            result = seed(track=lambda rows, label: track(rows, label, len(rows), quiet=quiet))
            self.stdout.write(f"{result.created} sample prompts imported, {result.unchanged} were there.")

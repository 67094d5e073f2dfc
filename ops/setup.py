"""Setting up a database: what `init_db`, `seed_data` and `quickstart` do."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.core.management import call_command

from prompts.accounts import samples_author
from prompts.exchange.importing import SAMPLES, ImportResult, import_file
from prompts.indexing import get_collection
from vectors.models import Collection

Track = Callable[[Sequence[Any], str], Iterable[Any]]


def init_database(*, verbosity: int = 1) -> Collection:
    """Create or update the tables and the collection of prompts; running it again changes nothing."""
    call_command("migrate", interactive=False, verbosity=verbosity)
    return get_collection()


def seed(*, track: Track) -> ImportResult:
    """Import the bundled samples, for the first superuser or an account of their own."""
    return import_file(SAMPLES, samples_author(), source="samples", track=track)

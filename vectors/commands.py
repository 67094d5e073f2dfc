"""What the management commands of all apps have in common."""

import json
import os
import sys
from typing import Any, Final

from django.core.checks import Tags, registry
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, IntegrityError

from vectors.catalogue import visible_collections
from vectors.errors import CollectionNotFound, VectorError

# What a shell says of a program that SIGPIPE ended.
_PIPE_CLOSED: Final = 141
# Collections that are named where another was asked for.
_NAMES: Final = 20
_INIT = (
    "Run `manage.py init_db` first: it makes and updates the tables. Where there were prompts before, they "
    "are lost, and `manage.py restore_database FILE` brings them back from a backup."
)
_SPACE = "free space where the database is, and run this again: what was stored is as it was."
_REBUILD = "A table of its index is missing: rebuild_vectors makes it anew."
# What to do, by what the database says; the first that fits.
_HINTS = {
    **dict.fromkeys(("_blocks", "_lists", "_centroids"), _REBUILD),
    "no such table": _INIT,
    "no such column": _INIT,
    "disk is full": _SPACE.capitalize(),
    "disk I/O error": f"Its disk may be full, or fail: {_SPACE}",
}


class Command(BaseCommand):
    """A command whose foreseeable failures are one line with the next step (`--traceback` shows the rest)."""

    def get_check_kwargs(self, options: dict[str, Any]) -> dict[Any, Any]:
        """All checks but those of addresses, of which commands answer none.

        They read the whole API with its schemas, which takes longer than most commands do.
        """
        return {"tags": registry.registry.tags_available() - {Tags.urls}}

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except CollectionNotFound as error:
            raise CommandError(f"{error}{_collections()}") from error
        except (ImproperlyConfigured, VectorError) as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except IntegrityError:
            raise  # not the state of the database, but a fault of the command
        except DatabaseError as error:
            text = str(error)
            end = "" if text.endswith((".", "?")) else "."
            hint = next((f" {hint}" for sign, hint in _HINTS.items() if sign in text), "")
            raise CommandError(f"The database cannot be used: {text}{end}{hint}") from error
        except BrokenPipeError:
            # Whoever read the output has seen enough (`| head`). What is still buffered goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(_PIPE_CLOSED) from None


def json_option(name: str, text: str | None) -> Any:
    """The value of an option in JSON, None where it is not given; raises CommandError."""
    try:
        return None if text is None else json.loads(text)
    except ValueError as error:
        raise CommandError(f"{name} is not JSON: {error}.") from error


def _collections() -> str:
    """The end of an error: the names to choose from, where they can be read."""
    try:
        names = list(visible_collections().order_by("name").values_list("name", flat=True)[:_NAMES])
    except DatabaseError:
        return ""
    if not names:
        return ". There is none yet: import_items makes one."
    more = ", …" if len(names) == _NAMES else ""
    return f". There are: {', '.join(names)}{more}."

"""What the management commands of all apps have in common."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, IntegrityError

from vectors.errors import VectorError

_INIT = "Run `manage.py init_db` first: it makes and updates the tables."
_SPACE = "free space where the database is, and run this again: what was stored is as it was."
# What to do, by what the database says.
_HINTS = {
    "no such table": _INIT,
    "no such column": _INIT,
    "disk is full": _SPACE.capitalize(),
    "disk I/O error": f"Its disk may be full, or fail: {_SPACE}",
}


class Command(BaseCommand):
    """A command whose foreseeable failures are one line with the next step (`--traceback` shows the rest)."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
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

"""What the management commands of all apps have in common."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, IntegrityError

from vectors.errors import VectorError


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
            is_unprepared = "no such table" in text or "no such column" in text
            hint = " Run `manage.py init_db` first: it makes and updates the tables." if is_unprepared else ""
            end = "" if text.endswith((".", "?")) else "."
            raise CommandError(f"The database cannot be used: {text}{end}{hint}") from error

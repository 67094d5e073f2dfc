"""Test databases: files bring a write-ahead log along, and a server makes no database by SQL."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.db import NotSupportedError
from django.db.backends.sqlite3 import creation as sqlite3

from . import dbapi
from .dsn import parse_name
from .options import connection_parameters

if TYPE_CHECKING:
    from .base import DatabaseWrapper

_COMPANIONS = ("-wal", "-shm")
# In this order: a view or trigger may name what is dropped after it, a virtual table drops its shadow tables.
_KINDS = (
    ("VIEW", "type = 'view'"),
    ("TRIGGER", "type = 'trigger'"),
    ("TABLE", "type = 'table' AND sql LIKE 'CREATE VIRTUAL%'"),
    ("TABLE", "type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_litestream%'"),
)


class DatabaseCreation(sqlite3.DatabaseCreation):
    """On a server, ``TEST["NAME"]`` must name a database that is there; it is emptied before and after."""

    connection: "DatabaseWrapper"

    def _get_test_db_name(self) -> str:
        if self.connection.target.is_remote:
            return parse_name(self.connection.settings_dict["TEST"]["NAME"]).name
        name: str = super()._get_test_db_name()
        return name

    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        target = self.connection.target
        name = self._get_test_db_name()
        if target.is_remote:
            if not parse_name(name).is_remote or name == target.name:
                raise ImproperlyConfigured(
                    f"DATABASES[{self.connection.alias!r}]['TEST']['NAME']: expected another database of a "
                    "libSQL server, which the tests may empty; a server makes none by itself."
                )
            if not keepdb:
                self._confirm(name, autoclobber=autoclobber)
                self._empty(name)
            return name
        name = str(super()._create_test_db(verbosity, autoclobber, keepdb))
        if not keepdb and not self.is_in_memory_db(name):
            _remove_companions(name)
        return name

    def get_test_db_clone_settings(self, suffix: str) -> dict[str, Any]:
        if self.connection.target.is_remote:
            raise NotSupportedError("A libSQL server makes no copies for parallel tests: use --parallel=1.")
        settings: dict[str, Any] = super().get_test_db_clone_settings(suffix)
        return settings

    def _clone_test_db(self, suffix: str, verbosity: int, keepdb: bool = False) -> None:
        if not self.connection.is_in_memory_db():
            with self.connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # only the main file is copied
        super()._clone_test_db(suffix, verbosity, keepdb)

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        if parse_name(test_database_name).is_remote:
            self._empty(test_database_name)
            return
        super()._destroy_test_db(test_database_name, verbosity)
        if test_database_name and not self.is_in_memory_db(test_database_name):
            _remove_companions(test_database_name)

    def _confirm(self, name: str, *, autoclobber: bool) -> None:
        if not autoclobber and input(f"Type 'yes' to empty the test database {name!r}: ") != "yes":
            raise SystemExit("Tests cancelled.")

    def _empty(self, name: str) -> None:
        """Drop all that is in a database on a server."""
        parameters = connection_parameters(
            self.connection.alias, parse_name(name), self.connection.settings_dict["OPTIONS"]
        )
        connection = dbapi.connect(**parameters)
        quote = self.connection.ops.quote_name
        try:
            connection.execute("PRAGMA foreign_keys = OFF")
            for kind, condition in _KINDS:
                found = connection.execute(f"SELECT name FROM sqlite_master WHERE {condition}").fetchall()
                for (table,) in found:
                    connection.execute(f"DROP {kind} IF EXISTS {quote(str(table))}")
        finally:
            connection.close()


def _remove_companions(name: str) -> None:
    for ending in _COMPANIONS:
        Path(str(name) + ending).unlink(missing_ok=True)

"""Test databases: files bring a write-ahead log along, which Django's SQLite backend does not expect."""

from pathlib import Path

from django.db.backends.sqlite3 import creation as sqlite3

_COMPANIONS = ("-wal", "-shm")


class DatabaseCreation(sqlite3.DatabaseCreation):
    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        name: str = super()._create_test_db(verbosity, autoclobber, keepdb)
        if not keepdb and not self.is_in_memory_db(name):
            _remove_companions(name)
        return name

    def _clone_test_db(self, suffix: str, verbosity: int, keepdb: bool = False) -> None:
        if not self.connection.is_in_memory_db():
            with self.connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # only the main file is copied
        super()._clone_test_db(suffix, verbosity, keepdb)

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        super()._destroy_test_db(test_database_name, verbosity)
        if test_database_name and not self.is_in_memory_db(test_database_name):
            _remove_companions(test_database_name)


def _remove_companions(name: str) -> None:
    for ending in _COMPANIONS:
        Path(str(name) + ending).unlink(missing_ok=True)

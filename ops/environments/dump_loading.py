"""A libSQL file from a server's dump of SQL: what was dumped, readable without the server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import DatabaseError
from django.db.utils import ConnectionHandler

from .base import ProviderFailed
from .local_files import begun

_BATCH = 4_000_000  # bytes of SQL that are run at once


def load_dump(dump: Path, file: Path) -> None:
    """Make `file`, which is not there yet, from a dump with a statement on each line (`sqld_dump.dump`).

    Nobody else may be at work in its folder. Raises ``ProviderFailed``.
    """
    entry = {"ENGINE": "afn_project.libsql", "NAME": "", "OPTIONS": {"pragmas": {"synchronous": "OFF"}}}
    try:
        with begun(file) as new:
            connection: Any = ConnectionHandler({"default": {**entry, "NAME": str(new)}})["default"]
            connection.ensure_connection()
            try:
                # The server has checked its rows, and whoever may write SQL there is to write no file
                # here: libSQL has functions for that, which a constraint may call.
                connection.cursor().execute("PRAGMA ignore_check_constraints = ON")
                for script in _scripts(dump):
                    connection.connection.cursor().executescript(script)
                cursor = connection.cursor()
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                cursor.fetchall()
            finally:
                connection.close()
    except DatabaseError as error:
        raise ProviderFailed(f"The server's dump cannot be loaded: {error}") from error
    except OSError as error:
        raise ProviderFailed(f"{dump} cannot be read: {error.strerror}.") from error


def _scripts(dump: Path) -> Iterator[str]:
    with dump.open(encoding="utf-8", newline="\n") as lines:
        while True:
            script, size = [], 0
            for line in lines:
                script.append(line)
                size += len(line)
                if size >= _BATCH:
                    break
            if not script:
                return
            yield "".join(script)

"""AFN's own list of the environments on a libSQL server, which cannot list its namespaces itself.

One table in the namespace ``afn-environments`` of the same server. A row is written before the server is
asked for anything, and is marked or removed when that is done: what a crash interrupts stays in the list.

Measured on sqld 0.24.32: a connection that was open before a namespace was deleted and made anew goes on in
the deleted database, and its writes are lost. So a name rests after a deletion: within that time connections
in use meet the missing namespace, and idle ones are closed by the server.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.db.utils import ConnectionHandler, DatabaseError, IntegrityError

from .base import NameTaken, NotConfigured, ProviderFailed
from .sqld_admin import Admin

RESERVED = "afn-"  # how the names begin that AFN keeps for itself
NAMESPACE = "afn-environments"
REST_SECONDS = 15  # the server closes idle connections after some twelve
_NOWHERE = "afn-nowhere"  # never made
_CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS afn_environments (
    name TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    parent TEXT NOT NULL,
    created_at TEXT,
    claim TEXT NOT NULL,
    deleted_at INTEGER
)
"""


class State(StrEnum):
    CREATING = "creating"
    READY = "ready"
    DELETING = "deleting"
    DELETED = "deleted"  # its name rests; not among the rows that are given out


@dataclass(frozen=True)
class Row:
    """``claim`` is random and belongs to the operation that last took hold of the row: only that one may go
    on with it. ``created_at`` is None where the namespace was made outside AFN."""

    name: str
    state: State
    parent: str
    created_at: datetime | None
    claim: str


class Registry:
    """The table, opened by `database`: from a namespace to its entry of ``DATABASES``.

    Every method raises ``ProviderFailed`` where the server cannot be used.
    """

    def __init__(self, admin: Admin, database: Callable[[str], dict[str, Any]]) -> None:
        self._admin = admin
        self._database = database

    def rows(self) -> list[Row]:
        """All rows, by name; the table is made where there is none yet."""
        try:
            return self._rows()
        except ProviderFailed:
            self._prepare()
            return self._rows()

    def claim(self, name: str, parent: str) -> str:
        """Take a free name for an environment that is going to be made. Raises ``NameTaken``."""
        claim = _new_claim()
        try:
            with self._cursor() as cursor:
                # Times are the server's, since operators' clocks differ.
                cursor.execute(
                    "DELETE FROM afn_environments WHERE state = %s AND deleted_at <= unixepoch() - %s",
                    [State.DELETED.value, REST_SECONDS],
                )
                cursor.execute(
                    "INSERT INTO afn_environments VALUES (%s, %s, %s, %s, %s, NULL)",
                    [
                        name,
                        State.CREATING.value,
                        parent,
                        datetime.now(UTC).isoformat(timespec="seconds"),
                        claim,
                    ],
                )
        except IntegrityError as error:
            raise NameTaken(
                f"The name {name!r} was taken by another operator just now, or deleted within the last "
                f"{REST_SECONDS} s, so that connections to the old one may be open. Choose another one, or "
                "try again then."
            ) from error
        return claim

    def adopt(self, name: str) -> None:
        """Take in a namespace that was made outside AFN; no change where it is known."""
        with self._cursor() as cursor:
            cursor.execute(
                "INSERT INTO afn_environments VALUES (%s, %s, '', NULL, %s, NULL) ON CONFLICT (name) "
                "DO UPDATE SET state = excluded.state, claim = excluded.claim, parent = '', "
                "created_at = NULL WHERE state = 'deleted'",
                [name, State.READY.value, _new_claim()],
            )

    def finish(self, name: str, claim: str) -> bool:
        """Mark an environment as made; False where another operation took hold of it meanwhile."""
        with self._cursor() as cursor:
            cursor.execute(
                "UPDATE afn_environments SET state = %s WHERE name = %s AND claim = %s",
                [State.READY.value, name, claim],
            )
            return bool(cursor.rowcount)

    def begin_deletion(self, row: Row) -> str:
        """The claim with which to go on, also with what another operation left unfinished."""
        claim = _new_claim()
        with self._cursor() as cursor:
            cursor.execute(
                "UPDATE afn_environments SET state = %s, claim = %s WHERE name = %s AND claim = %s",
                [State.DELETING.value, claim, row.name, row.claim],
            )
            if not cursor.rowcount:
                raise ProviderFailed(
                    f"Another operator changes {row.name!r} now: nothing was done. Look at the list."
                )
        return claim

    def remove(self, name: str, claim: str) -> None:
        """Forget a name, unless another operation has taken hold of it."""
        with self._cursor() as cursor:
            cursor.execute("DELETE FROM afn_environments WHERE name = %s AND claim = %s", [name, claim])

    def bury(self, name: str, claim: str) -> None:
        """As ``remove``, for one that connections may still be open to: its name rests for a while."""
        with self._cursor() as cursor:
            cursor.execute(
                "UPDATE afn_environments SET state = %s, deleted_at = unixepoch() "
                "WHERE name = %s AND claim = %s",
                [State.DELETED.value, name, claim],
            )

    def _rows(self) -> list[Row]:
        with self._cursor() as cursor:
            cursor.execute(
                "SELECT name, state, parent, created_at, claim FROM afn_environments WHERE state <> %s "
                "ORDER BY name",
                [State.DELETED.value],
            )
            return [
                Row(name, State(state), parent, created_at and datetime.fromisoformat(created_at), claim)
                for name, state, parent, created_at, claim in cursor.fetchall()
            ]

    def _prepare(self) -> None:
        self._check_namespaces()
        if not self._admin.exists(NAMESPACE):
            with suppress(NameTaken):  # another operator was faster
                self._admin.create(NAMESPACE)
        with self._cursor() as cursor:
            cursor.execute(_CREATE_TABLE)

    def _check_namespaces(self) -> None:
        """A server without namespaces answers for every one of them with its only database."""
        try:
            with self._cursor(_NOWHERE) as cursor:
                cursor.execute("SELECT 1")
        except ProviderFailed:
            return
        raise NotConfigured(
            "The server has no namespaces, so it can hold one environment only. Start it with "
            "--enable-namespaces."
        )

    @contextmanager
    def _cursor(self, namespace: str = NAMESPACE) -> Iterator[CursorWrapper]:
        """A connection of its own for a statement or two, in autocommit."""
        connection = ConnectionHandler({"default": self._database(namespace)})["default"]
        try:
            with connection.cursor() as cursor:
                yield cursor
        except IntegrityError:
            raise
        except DatabaseError as error:
            raise ProviderFailed(
                f"The list of environments on the server cannot be used: {error} Is AFN_SQLD_ADMIN_URL the "
                "admin API of the same server?"
            ) from error
        finally:
            connection.close()


def _new_claim() -> str:
    return secrets.token_hex(8)

"""The database wrapper: Django's SQLite backend with libSQL underneath."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Self

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.sqlite3 import base as sqlite3
from django.db.utils import DatabaseErrorWrapper
from django.utils.asyncio import async_unsafe
from django.utils.functional import cached_property

from . import dbapi
from .creation import DatabaseCreation
from .dsn import Target, parse_name
from .errors import ServerError, TransactionLost
from .features import DatabaseFeatures
from .local import identity
from .operations import DatabaseOperations
from .options import REPLICA_OF, connection_parameters, init_statements


class ErrorWrapper(DatabaseErrorWrapper):
    """Django's translation of errors, which leaves those alone that are Django's already."""

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, ServerError):
            self.wrapper.errors_occurred = True  # type: ignore[attr-defined]
            return
        super().__exit__(kind, error, traceback)


class CursorWrapper(dbapi.Cursor):
    """Django's "format" and "pyformat" parameters on a cursor that knows only question marks."""

    def execute(self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> Self:
        if params is None:
            return super().execute(sql)
        if isinstance(params, Mapping):
            sql, names = _positional(sql, tuple(params))
            return super().execute(sql, [params[name] for name in names])
        return super().execute(_question_marks(sql), params)

    def executemany(self, sql: str, param_list: Iterable[Any]) -> Self:
        rows = list(param_list)
        if rows and isinstance(rows[0], Mapping):
            sql, names = _positional(sql, tuple(rows[0]))
            return super().executemany(sql, [[row[name] for name in names] for row in rows])
        return super().executemany(_question_marks(sql), rows)


class DatabaseWrapper(sqlite3.DatabaseWrapper):
    """Connects to a libSQL file or server. ``OPTIONS``, all of them optional:

    ``timeout``: seconds to wait for a lock (5), or for a server's answer (15). ``transaction_mode``: the word
    after BEGIN (IMMEDIATE, so that a transaction never fails half-way for a lock that it could have waited
    for at its start). ``init_command``: SQL run on each new connection.

    Of a file: ``pragmas``, a mapping, see :mod:`.pragmas`; ``encryption_key``: 32 bytes; ``must_exist``: a
    file that is not there is an error, and not made.

    Of a server: ``auth_token``; ``pool_size``, ``max_overflow``, ``pool_timeout`` and ``pool_recycle`` bound
    the streams that this process has to it, see :class:`.pool.Limits`.

    ``replica_of``: the alias of the database that this one, a file or on a server, is a copy of. Then it is
    only read, and where it cannot be, that database answers, see :mod:`.replica`.
    """

    display_name = "libSQL"
    Database = dbapi
    client_class = sqlite3.DatabaseWrapper.client_class
    creation_class = DatabaseCreation
    features_class = DatabaseFeatures
    ops_class = DatabaseOperations
    # The file that the connection was opened on.
    _file: tuple[int, int] | None = None
    # Regular expressions are translated to libSQL's dialect, which an operator cannot do.
    operators = {k: v for k, v in sqlite3.DatabaseWrapper.operators.items() if k not in ("regex", "iregex")}

    @property
    def target(self) -> Target:
        """Where NAME points to. Raises ``ImproperlyConfigured`` where it points nowhere."""
        return parse_name(self.settings_dict["NAME"])

    def get_connection_params(self) -> dict[str, Any]:
        target = self.target
        if not (target.path or target.url):
            raise ImproperlyConfigured(
                f"DATABASES[{self.alias!r}]['NAME'] is empty. Please supply the NAME value: a path, file:…, "
                "libsql://host?authToken=… or http(s)://host."
            )
        options = self.settings_dict["OPTIONS"]
        self.transaction_mode = self._transaction_mode(options.get("transaction_mode", "IMMEDIATE"))
        self.init_statements = init_statements(self.alias, target, options)
        parameters = connection_parameters(self.alias, target, options)
        if REPLICA_OF in options:
            self.init_statements = []  # a copy is only read
            parameters["primary"] = connections[options[REPLICA_OF]].get_connection_params()
        return parameters

    def _transaction_mode(self, mode: str | None) -> str | None:
        if mode is None or mode.upper() in self.transaction_modes:
            return mode and mode.upper()
        raise ImproperlyConfigured(
            f"settings.DATABASES[{self.alias!r}]['OPTIONS']['transaction_mode'] "
            f"is improperly configured to '{mode}'. Use one of "
            f"{', '.join(repr(mode) for mode in sorted(self.transaction_modes))}, or None."
        )

    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, Any]) -> dbapi.Connection:
        if "primary" in conn_params:
            return dbapi.connect_replica(**conn_params)
        before = self._file_now()  # one that is replaced between the two is noticed later
        connection = dbapi.connect(**conn_params)
        self._file = before or self._file_now()
        try:
            for statement in self.init_statements:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def lock_timeout(self, seconds: float) -> Iterator[None]:
        """Wait less (or longer) than usual for another connection's lock, within the block.

        A server waits for locks itself: there it is the wait for its answer, of a second at least.
        """
        self.ensure_connection()
        if self.target.is_remote:
            seconds = max(seconds, 1.0)
        driver = self.connection.driver
        usual, driver.timeout = driver.timeout, seconds
        try:
            yield
        finally:
            driver.timeout = usual

    def create_cursor(self, name: str | None = None) -> dbapi.Cursor:
        cursor: dbapi.Cursor = self.connection.cursor(factory=CursorWrapper)
        return cursor

    @cached_property
    def wrap_database_errors(self) -> ErrorWrapper:
        return ErrorWrapper(self)

    def validate_no_broken_transaction(self) -> None:
        """Django only knows that something failed; where the server lost the transaction, that is said.

        Checks of constraints swallow what they fail by (`Q.check`), so that nobody was told before.
        """
        is_within = self.in_atomic_block and self.connection is not None
        if is_within and (lost := getattr(self.connection.driver, "lost", "")):
            raise TransactionLost(lost)
        super().validate_no_broken_transaction()

    def is_usable(self) -> bool:
        if self.target.is_remote and not self.connection.in_transaction:
            return True  # the next statement takes any stream, and opens one if it must
        try:
            self.connection.execute("SELECT 1")
        except dbapi.Error:
            return False
        return True

    def close_if_unusable_or_obsolete(self) -> None:
        """Django asks between requests. A connection also ends where its file was replaced or deleted.

        What it wrote would go into a file that has no name any more.
        """
        is_idle = self.connection is not None and not self.in_atomic_block
        if is_idle and self._file is not None and self._file_now() != self._file:
            self.close()
            return
        super().close_if_unusable_or_obsolete()

    def _file_now(self) -> tuple[int, int] | None:
        """What tells the file of this name from another; None for no file, URIs and replicas."""
        target = self.target
        if target.is_remote or target.is_memory or target.path.startswith("file:"):
            return None
        return identity(target.path)

    def is_in_memory_db(self) -> bool:
        return self.target.is_memory


@lru_cache(maxsize=1024)
def _question_marks(sql: str) -> str:
    """``%s`` to ``?`` and ``%%`` to ``%``; the ORM repeats its statements, so the answer is kept."""
    return sqlite3.FORMAT_QMARK_REGEX.sub("?", sql).replace("%%", "%")


def _positional(sql: str, names: tuple[str, ...]) -> tuple[str, list[str]]:
    """``%(name)s`` to ``?`` with the names in order of use: the binding takes no mappings."""
    used: list[str] = []

    class Recorder(dict[str, str]):
        def __missing__(self, name: str) -> str:
            if name not in names:
                raise KeyError(name)
            used.append(name)
            return "?"

    return sql % Recorder(), used

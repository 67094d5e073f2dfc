"""From libSQL's error texts to PEP 249 exceptions, and the errors that only a server can cause.

The binding reports every failure as ``ValueError`` with nothing but a text, a server as a text with a code.
The exception classes are those of :mod:`sqlite3`, so that Django and its users see exactly what they know
from SQLite, with the same ``sqlite_errorname`` attribute. A :class:`ServerError` is what SQLite has not.
"""

from sqlite3 import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)

from django.db import utils as django

# How the texts start. Not what they contain: part of a text may be the user's.
_BY_TEXT: tuple[tuple[str, type[Error], str], ...] = (
    ("UNIQUE constraint failed", IntegrityError, "SQLITE_CONSTRAINT_UNIQUE"),
    ("FOREIGN KEY constraint failed", IntegrityError, "SQLITE_CONSTRAINT_FOREIGNKEY"),
    ("NOT NULL constraint failed", IntegrityError, "SQLITE_CONSTRAINT_NOTNULL"),
    ("CHECK constraint failed", IntegrityError, "SQLITE_CONSTRAINT_CHECK"),
    ("constraint failed", IntegrityError, "SQLITE_CONSTRAINT"),
    ("datatype mismatch", IntegrityError, "SQLITE_MISMATCH"),
    ("string or blob too big", DataError, "SQLITE_TOOBIG"),
    ("file is not a database", DatabaseError, "SQLITE_NOTADB"),
    ("file is encrypted", DatabaseError, "SQLITE_NOTADB"),
    ("database disk image is malformed", DatabaseError, "SQLITE_CORRUPT"),
    ("column index out of range", ProgrammingError, "SQLITE_RANGE"),
    ("Incorrect number of bindings", ProgrammingError, "SQLITE_RANGE"),
    ("Unsupported parameter type", ProgrammingError, "SQLITE_MISUSE"),
    ("database is locked", OperationalError, "SQLITE_BUSY"),
    ("database table is locked", OperationalError, "SQLITE_LOCKED"),
    ("database or disk is full", OperationalError, "SQLITE_FULL"),
    ("attempt to write a readonly database", OperationalError, "SQLITE_READONLY"),
    ("unable to open database file", OperationalError, "SQLITE_CANTOPEN"),
    ("Unable to open connection", OperationalError, "SQLITE_CANTOPEN"),
    ("disk I/O error", OperationalError, "SQLITE_IOERR"),
    ("interrupted", OperationalError, "SQLITE_INTERRUPT"),
)
_PREFIXES = ("Failed to connect to database: ", "SQLite error: ", "SQLite failure: ", "SQL input error: ")
INVALID_TEXT = (
    "A text value in the result is not valid UTF-8. Read it as bytes with CAST(column AS BLOB) to see and "
    "repair it."
)


class ServerError(OperationalError, django.OperationalError):
    """A failure of the server or on the way to it.

    It is PEP 249's OperationalError and Django's at once, so that its class survives Django's wrapping and
    ``except ServerUnreachable`` works above the ORM as well. Texts name the server and what to do, no secret.
    """


class ServerUnreachable(ServerError):
    """Nobody listens there, or not under that name or certificate: nothing was sent."""


class ConnectionLost(ServerError):
    """The connection broke, or no answer came in time. Nothing was changed."""


class OutcomeUnknown(ServerError):
    """The connection broke while a write, or a COMMIT, was under way: it may have happened or not."""


class TransactionLost(ServerError):
    """The server has ended the transaction, or its connection broke: all of it is rolled back."""


class AccessRefused(ServerError):
    """The token is missing, wrong, expired, or not for this namespace or for writing."""


class Redirected(ServerError):
    """The server sends us to another address, which is not followed: the token is for this one."""


class NamespaceNotFound(ServerError):
    """The server does not hold this database."""


class TooManyConnections(ServerError):
    """The server, or the pool of this process, has no connection left. Nothing was changed."""


class PoolExhausted(TooManyConnections):
    """All connections of this process were in use for as long as a thread may wait for one."""


class WritesBlocked(ServerError):
    """The database is frozen. ``reason`` is what the operator gave; nothing was changed."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database is frozen, nothing was written: {reason}")
        self.reason = reason


class FileReplaced(ServerError):
    """Another file has the name of the database now: what was committed is not in that one."""


class ResultTooLarge(ServerError):
    """The server sends results up to 10 MB only."""


def error_from_server(message: str, code: str | None) -> Error:
    """The exception for a failed statement: a Hrana error's ``message`` and ``code``."""
    text = _bare(message)
    match code:
        case "BLOCKED":
            return WritesBlocked(text.partition(": ")[2] or text)
        case "TRANSACTION_TIMEOUT" | "TRANSACTION_BUSY":
            return TransactionLost(
                "The server ended this transaction since another writer waited for 5 s; all of it is rolled "
                "back. Run it again, and call no other service inside atomic()."
            )
        case "RESPONSE_TOO_LARGE":
            return ResultTooLarge(
                "The result is larger than 10 MB, which the server does not send. Fetch fewer rows at a "
                "time, or leave out large columns with defer()."
            )
        case "SQL_PARSE_ERROR" if "unsupported statement" in text:
            return NotSupportedError(f"The libSQL server does not run this statement: {text[:200]}")
        case "ARGS_INVALID" if not text.endswith("too big"):
            return ProgrammingError(text)
    text = text.removeprefix("Arguments do not match SQL parameters: ")
    if text.endswith("string or blob too big"):
        text = "string or blob too big: a libSQL server stores up to 5 MB in a row, all its values together."
    return error_from_text(text)


def error_from_text(text: str) -> Error:
    """The exception for an error text of libSQL; what no rule knows is an ``OperationalError``."""
    text = _bare(text)
    exception_class, name = next(
        ((exception_class, name) for start, exception_class, name in _BY_TEXT if text.startswith(start)),
        (OperationalError, "SQLITE_ERROR"),
    )
    error = exception_class(text)
    error.sqlite_errorname = name
    return error


def is_busy(text: str) -> bool:
    """Whether another connection's lock is the cause, so that the same statement may succeed later."""
    return _bare(text).startswith(("database is locked", "database table is locked"))


def _bare(text: str) -> str:
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    return text.strip("`")

"""From libSQL's error texts to PEP 249 exceptions.

The binding reports every failure as ``ValueError`` with nothing but a text. The exception classes are
those of :mod:`sqlite3`, so that Django and its users see exactly what they know from SQLite, with the
same ``sqlite_errorname`` attribute.
"""

from sqlite3 import DatabaseError, DataError, Error, IntegrityError, OperationalError, ProgrammingError

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

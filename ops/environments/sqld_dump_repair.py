"""The server's dump as the server itself takes it back.

Measured on sqld 0.24.32: a dump of a database with a full-text table cannot be loaded, since the SQL in its
statement about that table is not quoted (tursodatabase/libsql#2173), and neither can one with a trigger of
several lines, since the end of a line that ends with a semicolon counts as the end of the statement.
Values are not touched: the dump has them on one line each, with their line breaks written as ``char(10)``.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator

_CATALOGUE = re.compile(
    rb"(INSERT INTO sqlite_schema\(type,name,tbl_name,rootpage,sql\)"
    rb" VALUES\('table','(?:[^']|'')*','(?:[^']|'')*',0,')(.*)('\);\s*)",
    re.DOTALL,
)
# A text, a quoted name, a comment, or a line break.
_PART = re.compile(
    rb"""'(?:[^']++|'')*+'|"[^"]*+"|`[^`]*+`|\[[^]]*+\]|(?P<blank>--[^\n]*|/\*.*?\*/|\s*\n\s*)""", re.DOTALL
)


def repaired(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The statements of a dump, a line each."""
    statement = b""
    for line in _lines(pieces):
        statement += line
        if _is_whole(statement):
            yield _repaired(statement)
            statement = b""
    yield statement


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    begun: list[bytes] = []
    for piece in pieces:
        *ended, rest = piece.split(b"\n")
        for part in ended:
            yield b"".join([*begun, part, b"\n"])
            begun.clear()
        begun.append(rest)
    yield b"".join(begun)


def _is_whole(statement: bytes) -> bool:
    if not statement.rstrip().endswith(b";"):
        return False
    is_row = statement.startswith(b"INSERT INTO ") and statement.count(b"\n") == 1
    return is_row or sqlite3.complete_statement(statement.decode(errors="replace"))


def _repaired(statement: bytes) -> bytes:
    if statement.count(b"\n") == 1 and not statement.startswith(b"INSERT INTO sqlite_schema("):
        return statement
    if found := _CATALOGUE.fullmatch(statement):
        before, sql, after = found.groups()
        statement = b"".join((before, sql.replace(b"'", b"''") if _is_bare(sql) else sql, after))
    return _PART.sub(_on_one_line, statement).strip() + b"\n"


def _is_bare(sql: bytes) -> bool:
    """Whether quotes in it were not doubled. Some server may do so one day."""
    return sql.replace(b"''", b"").count(b"'") > 0 or sql.count(b"''") % 2 == 1


def _on_one_line(part: re.Match[bytes]) -> bytes:
    return b" " if part["blank"] else part[0]

"""What has to be known of a statement before it is sent: how many values it takes, and what it does."""

import re
import sqlite3
from functools import lru_cache
from sqlite3 import ProgrammingError
from typing import Any

# Everything in which a question mark is not a parameter, then the parameter itself and the semicolon.
TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\]
    | --[^\n]* | /\*.*?(?:\*/|\Z) | \? | ;""",
    re.VERBOSE | re.DOTALL,
)
_NAME = r"""(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|\w+)"""
_DELETE_ALL = re.compile(rf"DELETE\s+FROM\s*{_NAME}(?:\s*\.\s*{_NAME})?(?:\s+AS\s+{_NAME})?", re.IGNORECASE)
_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*([A-Za-z]+)", re.DOTALL)
_WRITING = re.compile(r"\b(?:INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
_SIDE_EFFECTS = re.compile(r"writefile|load_extension", re.IGNORECASE)  # functions that a SELECT may call
_PRAGMA = re.compile(r"PRAGMA\s+(?:\w+\s*\.\s*)?(\w+)\s*([=(]?)\s*['\"]?(\w*)", re.IGNORECASE)
_ASKING_PRAGMAS = re.compile(r"\w+_(?:x?info|list|check)", re.IGNORECASE)  # their argument is not a new value
TRANSACTION = ("BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE")
_DOING_PRAGMAS = ("optimize", "wal_checkpoint", "incremental_vacuum", "shrink_memory")


@lru_cache(maxsize=1024)
def prepared(sql: str) -> tuple[str, int]:
    """One statement as libSQL may have it (nothing if it is all comments), and its number of parameters.

    Raises ``ProgrammingError`` for two statements: the binding would run the first and drop the rest; and
    what the sqlite3 module raises for a NUL and for lone surrogates.
    """
    sql.encode()
    if "\0" in sql:
        raise ProgrammingError("the query contains a null character")
    count = 0
    for token in TOKEN.finditer(sql):
        count += token[0] == "?"
        if token[0] == ";" and sqlite3.complete_statement(sql[: token.end()]) and bare(sql[token.end() :]):
            raise ProgrammingError("You can only execute one statement at a time.")
    text = bare(sql)
    if _DELETE_ALL.fullmatch(text):
        # Without WHERE, libSQL empties the table but leaves its rows in a vector index.
        return f"{text} WHERE 1", count
    return sql if text else "", count


def check_count(expected: int, values: Any) -> None:
    """Refuse a wrong number of values: libSQL takes any, with NULL for what is missing."""
    if len(values) != expected:
        raise ProgrammingError(
            f"Incorrect number of bindings supplied: the statement has {expected} parameters, "
            f"got {len(values)} values."
        )


def bare(sql: str) -> str:
    """`sql` without comments and what is around it."""
    return TOKEN.sub(lambda token: " " if token[0].startswith(("--", "/*")) else token[0], sql).strip(
        "; \t\r\n\f"
    )


@lru_cache(maxsize=1024)
def first_word(sql: str) -> str:
    """The statement's first word in capitals, empty where there is none."""
    match = _FIRST_WORD.match(sql)
    return match[1].upper() if match else ""


@lru_cache(maxsize=1024)
def only_reads(sql: str) -> bool:
    """Whether running the statement twice is the same as running it once, because it changes nothing.

    Errs towards no: a WITH or EXPLAIN that has a writing word anywhere outside of quotes counts as writing.
    """
    word = first_word(sql)
    if _SIDE_EFFECTS.search(sql):
        return False
    if word in ("SELECT", "VALUES"):
        return True
    if word == "PRAGMA":
        name, sign, _ = pragma(sql)
        return bool(_ASKING_PRAGMAS.fullmatch(name) if sign else name and name not in _DOING_PRAGMAS)
    if word in ("WITH", "EXPLAIN"):
        return not _WRITING.search(TOKEN.sub(" ", sql))
    return False


def pragma(sql: str) -> tuple[str, str, str]:
    """A PRAGMA's name, its "=" or "(", and its value; all empty where it is none, or is not understood."""
    match = _PRAGMA.match(bare(sql)) if first_word(sql) == "PRAGMA" else None
    return (match[1].lower(), match[2], match[3]) if match else ("", "", "")


@lru_cache(maxsize=256)
def ends_transaction(sql: str) -> bool:
    """COMMIT, END, and ROLLBACK of the whole transaction, not to a savepoint."""
    word = first_word(sql)
    return word in ("COMMIT", "END") or (
        word == "ROLLBACK" and not re.search(r"\bTO\b", bare(sql), re.IGNORECASE)
    )

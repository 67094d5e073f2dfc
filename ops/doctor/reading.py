"""The database as an examination has it: nothing that it sends can change anything."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.utils import ConnectionHandler

from ops.environments.opening import opened_database
from ops.slow_queries.normalising import normalise
from ops.slow_queries.noting import quiet

_READING: Final = re.compile(r"[\s(]*(SELECT|VALUES|WITH|EXPLAIN|PRAGMA)\b", re.IGNORECASE)
_WRITING: Final = re.compile(
    r"\b(INSERT|UPDATE|DELETE)\b|\bREPLACE INTO\b|\bwritefile\b|^PRAGMA [^=]*=", re.IGNORECASE
)
# They write into a file that is in another state than they say.
_CHANGING: Final = ("page_size", "journal_mode")

Entry = Mapping[str, Any]


@contextmanager
def read_only(entry: Entry) -> Iterator[None]:
    """Within the block, this thread's default database is `entry` of ``DATABASES``, to be read alone.

    A file that is not there is not made, and one that is there is not brought into another mode.
    """
    before = [one for one in connections.all(initialized_only=True) if one.alias == DEFAULT_DB_ALIAS]
    try:
        with quiet(), opened_database(DEFAULT_DB_ALIAS, _unchanging(entry)) as alias:
            connection: Any = connections[alias]
            connection.execute_wrappers.append(_refuse_writes)
            yield
    finally:
        for one in before:
            connections[DEFAULT_DB_ALIAS] = one


def unopened(entry: Entry) -> Any:
    """A connection that is not connected: it knows where it would lead, and what it would say first."""
    return ConnectionHandler({DEFAULT_DB_ALIAS: dict(entry)})[DEFAULT_DB_ALIAS]


def expected_pragmas(entry: Entry) -> dict[str, str]:
    """What every process of AFN sets, by name; nothing of a server, which has its own."""
    connection = unopened(entry)
    connection.get_connection_params()
    found = {}
    for statement in connection.init_statements:
        if match := re.fullmatch(r"PRAGMA (\w+) = (.+)", statement):
            found[match[1]] = match[2]
    return found


def _unchanging(entry: Entry) -> dict[str, Any]:
    options = dict(entry.get("OPTIONS", {}))
    if not unopened(entry).target.is_remote:
        options["must_exist"] = True
        options["pragmas"] = {**options.get("pragmas", {}), **dict.fromkeys(_CHANGING)}
        options["init_command"] = "PRAGMA query_only = ON"
    return {**entry, "OPTIONS": options, "ATOMIC_REQUESTS": False, "CONN_MAX_AGE": 0}


def _refuse_writes(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if not _READING.match(sql) or _WRITING.search(normalise(sql)):
        raise OperationalError("The doctor only reads, and was about to write.")
    return execute(sql, params, many, context)

"""System checks of how processes share a libSQL server."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections

from .libsql.base import DatabaseWrapper
from .libsql.pool import Limits


@register(Tags.database)
def check_servers(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Warnings afn.W001 and W002, for each database on a server. Nothing is connected to."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if isinstance(connection, DatabaseWrapper) and connection.target.is_remote:
            found += [*_check_pool(connection), *_check_age(connection)]
    return found


def _check_pool(connection: DatabaseWrapper) -> list[CheckMessage]:
    usual, options = Limits(), connection.settings_dict["OPTIONS"]
    size = options.get("pool_size", usual.size) + options.get("max_overflow", usual.overflow)
    if size * settings.AFN_PROCESSES <= settings.AFN_SERVER_CONNECTIONS:
        return []
    return [
        Warning(
            f"{settings.AFN_PROCESSES} processes with up to {size} connections each to {connection.alias!r} "
            f"can be more than the {settings.AFN_SERVER_CONNECTIONS} that the server allows: the rest is "
            "refused with status 429.",
            hint="Lower DB_POOL_SIZE or DB_MAX_OVERFLOW; or raise the server's --max-concurrent-connections, "
            "and AFN_SERVER_CONNECTIONS with it. AFN_PROCESSES is the number of web and worker processes.",
            id="afn.W001",
        )
    ]


def _check_age(connection: DatabaseWrapper) -> list[CheckMessage]:
    if connection.settings_dict["CONN_MAX_AGE"] == 0:
        return []
    return [
        Warning(
            f"CONN_MAX_AGE of {connection.alias!r} is {connection.settings_dict['CONN_MAX_AGE']}, which "
            "means nothing for a libSQL server: its connections are pooled by process, not by thread.",
            hint="Leave it out; DB_POOL_RECYCLE is the age at which a pooled connection is replaced.",
            id="afn.W002",
        )
    ]

"""System checks of the ways to a libSQL server and to this site: who shares them, and who may listen."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections

from .databases import LOOPBACK
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


@register(Tags.security)
def check_open_addresses(**_: Any) -> list[CheckMessage]:
    """Warning afn.W003: a token goes in plain text over networks that strangers may share."""
    return [_plain_text(alias, host) for alias, host in _plain_hosts() if not _is_private(host)]


@register(Tags.security, deploy=True)
def check_private_addresses(**_: Any) -> list[CheckMessage]:
    """The same of a private network, where that may be meant: only `check --deploy` says so."""
    return [_plain_text(alias, host) for alias, host in _plain_hosts() if _is_private(host)]


def _plain_hosts() -> Iterator[tuple[str, str]]:
    """Aliases and hosts of servers on other machines that get a token without TLS."""
    for alias in connections:
        connection = connections[alias]
        if not isinstance(connection, DatabaseWrapper) or not connection.target.is_remote:
            continue
        parts = urlsplit(connection.target.url)
        has_token = connection.settings_dict["OPTIONS"].get("auth_token") or connection.target.auth_token
        if has_token and parts.scheme == "http" and parts.hostname not in LOOPBACK:
            yield alias, parts.hostname or ""


def _is_private(host: str) -> bool:
    """Names that only mean something inside: of a container, of a company's zone, numbers of no network."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".internal", ".local", ".lan", ".home.arpa"))


def _plain_text(alias: str, host: str) -> CheckMessage:
    return Warning(
        f"The token of {alias!r} goes to {host} over http://: whoever sees the network's traffic can use it.",
        hint="Use https:// or libsql://, or a proxy with TLS before the server; plain http:// is for this "
        "machine, or a network that nobody else shares.",
        id="afn.W003",
    )


@register(Tags.caches)
def check_shared_cache(**_: Any) -> list[CheckMessage]:
    """Warning afn.W004: with a replica, who wrote is remembered in a cache that other processes lack."""
    backend = str(settings.CACHES["default"]["BACKEND"])
    is_shared = not backend.endswith(("LocMemCache", "DummyCache"))
    if "replica" not in settings.DATABASES or is_shared or settings.AFN_PROCESSES == 1:
        return []
    return [
        Warning(
            f"There is a replica and {settings.AFN_PROCESSES} processes, but no cache that they share: a "
            "client of the API that has just written may read an older state from another process.",
            hint="Set REDIS_URL; or AFN_PROCESSES=1 where one process serves all.",
            id="afn.W004",
        )
    ]


@register(Tags.security, deploy=True)
def check_proxies(**_: Any) -> list[CheckMessage]:
    """Warning afn.W005: behind a proxy that is not counted, all callers have one address."""
    if not settings.SECURE_SSL_REDIRECT or settings.AFN_PROXIES:
        return []
    return [
        Warning(
            "AFN_HTTPS says that a proxy ends TLS, and AFN_PROXIES that there is none: limits by address "
            "take all callers for one, and whoever sends wrong keys or passwords shuts out everybody.",
            hint="Set AFN_PROXIES to the number of proxies that add to X-Forwarded-For.",
            id="afn.W005",
        )
    ]

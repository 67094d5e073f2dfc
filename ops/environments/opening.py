"""Working on another environment for a while, under a database alias of its own."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.utils import ConnectionHandler
from django.utils.connection import ConnectionDoesNotExist

from .base import Environment, EnvironmentProblem, Provider


@contextmanager
def opened(provider: Provider, name: str) -> Iterator[str]:
    """The alias of an environment: that of the current one, or one that exists within the block only.

    The alias is this thread's: requests in other threads may open the same environment meanwhile.
    """
    alias = DEFAULT_DB_ALIAS if name == provider.current else f"environment:{name}"
    if _is_open(alias):
        yield alias
        return
    with opened_database(alias, provider.database(name)):
        yield alias


@contextmanager
def opened_database(alias: str, entry: dict[str, Any]) -> Iterator[str]:
    """A database under an alias that exists within the block only; `entry` is one of ``DATABASES``."""
    connections[alias] = ConnectionHandler({DEFAULT_DB_ALIAS: {}, alias: entry})[alias]
    try:
        yield alias
    finally:
        try:
            connections[alias].close()
        finally:
            del connections[alias]


def create_with_tables(provider: Provider, name: str) -> Environment:
    """Make an environment with AFN's tables and nothing in them; one that cannot get them is removed."""
    provider.create(name)
    try:
        with opened(provider, name) as alias:
            call_command("migrate", database=alias, interactive=False, verbosity=0)
    except BaseException:
        with suppress(EnvironmentProblem):
            provider.delete(name)
        raise
    return provider.get(name)


def _is_open(alias: str) -> bool:
    try:
        return connections[alias] is not None
    except ConnectionDoesNotExist:
        return False

"""Working on another environment for a while, under a database alias of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections

from .base import Provider


@contextmanager
def opened(provider: Provider, name: str) -> Iterator[str]:
    """The alias of an environment: that of the current one, or one that exists within the block only."""
    if name == provider.current:
        yield DEFAULT_DB_ALIAS
        return
    alias = f"environment:{name}"
    connections.settings[alias] = provider.database(name)
    connections.configure_settings(connections.settings)
    try:
        yield alias
    finally:
        connections[alias].close()
        del connections[alias], connections.settings[alias]

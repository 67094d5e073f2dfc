"""Connections to libSQL at the engine's three levels: PEP 249, Django's wrapper, and an alias for the ORM."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import ConnectionHandler, connections
from pytest_django.plugin import DjangoDbBlocker

from afn_project.libsql import dbapi
from afn_project.libsql.base import DatabaseWrapper

Connect = Callable[..., dbapi.Connection]
OpenDatabase = Callable[..., DatabaseWrapper]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "engine.db")


@pytest.fixture
def connect(path: str) -> Iterator[Connect]:
    """Open connections to one file, or to `database`; all are closed after the test."""
    opened: list[dbapi.Connection] = []

    def open_connection(database: str = path, **options: Any) -> dbapi.Connection:
        opened.append(dbapi.connect(database, **options))
        return opened[-1]

    yield open_connection
    for connection in opened:
        connection.close()


@pytest.fixture
def memory(connect: Connect) -> dbapi.Connection:
    return connect(":memory:")


@pytest.fixture
def open_database(path: str, django_db_blocker: DjangoDbBlocker) -> Iterator[OpenDatabase]:
    """Wrappers as Django makes them from ``DATABASES``; ``NAME`` is one file unless said otherwise."""
    opened: list[DatabaseWrapper] = []

    def open_wrapper(name: str | Path = path, **options: Any) -> DatabaseWrapper:
        settings = {"ENGINE": "afn_project.libsql", "NAME": name, "OPTIONS": options}
        opened.append(ConnectionHandler({"default": settings})["default"])
        return opened[-1]

    with django_db_blocker.unblock():
        yield open_wrapper
        for wrapper in opened:
            wrapper.close()


@pytest.fixture
def alias(open_database: OpenDatabase) -> Iterator[str]:
    """The name under which Django's own functions find the file, ``atomic(using=alias)`` for instance."""
    connections["engine"] = open_database()
    yield "engine"
    del connections["engine"]

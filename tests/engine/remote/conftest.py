"""One libSQL server for each test process, and in it a namespace for each test."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from afn_project.libsql import dbapi
from tests.sqld import Sqld, company_sqld

Connect = Callable[..., dbapi.Connection]
_numbers = count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqld]:
    with company_sqld(tmp_path_factory.mktemp("company")) as running:
        yield running


@pytest.fixture
def namespace(server: Sqld) -> Iterator[str]:
    name = f"test-{next(_numbers)}"
    server.create(name)
    yield name
    server.delete(name)


@pytest.fixture
def connect(server: Sqld, namespace: str) -> Iterator[Connect]:
    """Open connections to the test's namespace, or to `database`; all are closed after the test."""
    opened: list[dbapi.Connection] = []

    def open_connection(database: str = "", **options: Any) -> dbapi.Connection:
        options = {"auth_token": server.token(), "timeout": 5.0} | options
        opened.append(dbapi.connect(database or server.name(namespace), **options))
        return opened[-1]

    yield open_connection
    for connection in opened:
        connection.close()


@pytest.fixture
def remote(connect: Connect) -> dbapi.Connection:
    connection = connect()
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x, u UNIQUE)")
    return connection

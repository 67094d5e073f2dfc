"""Statements that take as long as a test says, on a database in memory, with a writer of the test's own."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from ops.slow_queries import noting, writing
from ops.slow_queries.models import SlowQuery
from ops.slow_queries.writing import Writer
from prompts.models import ApiKey, User
from tests.api.conftest import Api, bearer

Run = Callable[..., Any]


class Clock:
    """Of `timed`: each look takes `step` seconds."""

    def __init__(self) -> None:
        self.now, self.step = 0.0, 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(noting, "perf_counter", made)
    return made


@pytest.fixture
def writer(db: None, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Writer:
    settings.AFN_SLOW_QUERY_SECONDS = 1.0
    made = Writer()
    monkeypatch.setattr(writing, "writer", made)
    noting.watch(connection)  # which may be older than the application is ready
    return made


@pytest.fixture
def run(writer: Writer, clock: Clock) -> Run:
    """Run a statement that takes so long, write what was noted, and return the newest row."""

    def one(sql: str, params: Any = None, seconds: float = 2.0) -> SlowQuery | None:
        clock.step = seconds
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, params)
        finally:
            clock.step = 0.0
        writer.flush()
        return SlowQuery.objects.first()

    return one


@pytest.fixture
def aoi(db: None) -> User:
    return User.objects.create_superuser("aoi", "aoi@example.com", "correct horse")


@pytest.fixture
def viewer(aoi: User) -> User:
    """Somebody of the staff who may see slow queries and nothing else."""
    ben = User.objects.create_user("ben", "ben@example.com", "x", is_staff=True)
    ben.user_permissions.set(Permission.objects.filter(codename="view_slowquery"))
    return ben


@pytest.fixture
def api(viewer: User) -> Api:
    return Api(bearer(ApiKey.issue(viewer, "slow", ["read", "write"])[1]))


@pytest.fixture
def console(viewer: User) -> Client:
    client = Client()
    client.force_login(viewer)
    return client

"""Fixtures that open the pairs of databases once for each module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from .compare import Comparison
from .engines import Pair, open_pair


@pytest.fixture(scope="package")
def pair(tmp_path_factory: pytest.TempPathFactory, django_db_blocker) -> Iterator[Pair]:
    """Both databases, with datetimes in UTC."""
    with django_db_blocker.unblock(), aware(), open_pair(tmp_path_factory.mktemp("differential")) as pair:
        yield pair


@pytest.fixture
def comparison(pair: Pair, django_db_blocker) -> Iterator[Comparison]:
    """A comparison under USE_TZ that reports at the end of the test."""
    with django_db_blocker.unblock(), aware():
        comparison = Comparison(pair)
        yield comparison


def aware() -> override_settings:
    """Return the settings that the rows are written and read under."""
    return override_settings(USE_TZ=True, TIME_ZONE="UTC")

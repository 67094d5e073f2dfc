"""What the tests of several apps share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from tests.prompts.databases import make_migrated
from vectors import strategies


@pytest.fixture
def fake_embedder(settings: Settings) -> Iterator[None]:
    """Embed with a function of the input, and keep no codes from one test to the next."""
    settings.AFN_EMBEDDERS = {"fake": "tests.vectors.fakes.FakeEmbedder"}
    settings.AFN_EMBEDDER = "fake"
    yield
    strategies.forget()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Path:
    """A database file with AFN's tables and the user ``aoi``, to be copied."""
    return make_migrated(tmp_path_factory.mktemp("migrated") / "afn.db", django_db_blocker)

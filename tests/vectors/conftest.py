"""Collections on real libSQL with an embedder that is a function of its input."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django import DjangoDbBlocker

from tests.prompts.databases import opened
from tests.sqld import company_sqld
from tests.vectors.fakes import FakeEmbedder
from vectors import store
from vectors.embedders import get_embedder
from vectors.models import Collection
from vectors.store import Item

Fill = Callable[..., Collection]


@pytest.fixture(autouse=True)
def _fake_embedder(fake_embedder: None) -> None:
    """All tests of this folder embed with it."""


@pytest.fixture
def embedder() -> FakeEmbedder:
    """The instance that collections of this test use; it remembers its calls."""
    made = get_embedder("fake", model="words", dimensions=64)
    assert isinstance(made, FakeEmbedder)
    made.calls.clear()
    return made


@pytest.fixture
def fill() -> Fill:
    """Make a collection out of texts; keys are k0, k1…"""

    def make(*texts: str, name: str = "notes", **options: object) -> Collection:
        collection = store.create_collection(name, **options)  # type: ignore[arg-type]
        store.upsert(collection, [Item(f"k{at}", text) for at, text in enumerate(texts)])
        return collection

    return make


@pytest.fixture(scope="module")
def server_database(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """The alias of a migrated database on a libSQL server."""
    with company_sqld(tmp_path_factory.mktemp("company")) as server, django_db_blocker.unblock():
        options = {"auth_token": server.token(), "timeout": 15.0}
        with opened("server", server.create("vectors"), OPTIONS=options) as alias:
            call_command("migrate", database=alias, verbosity=0)
            yield alias


@pytest.fixture
def file_database(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The alias of a migrated database file, which several threads can open."""
    alias = "file"
    connections.databases[alias] = {
        **connections.databases["default"],
        "NAME": str(tmp_path / "vectors.db"),
    }
    with django_db_blocker.unblock():
        call_command("migrate", "vectors", database=alias, verbosity=0)
        yield alias
        connections[alias].close()
    del connections[alias]
    del connections.databases[alias]

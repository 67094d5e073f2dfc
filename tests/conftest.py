"""What the tests of several apps share."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from vectors import strategies


@pytest.fixture
def fake_embedder(settings: Settings) -> Iterator[None]:
    """Embed with a function of the input, and keep no codes from one test to the next."""
    settings.AFN_EMBEDDERS = {"fake": "tests.vectors.fakes.FakeEmbedder"}
    settings.AFN_EMBEDDER = "fake"
    yield
    strategies.forget()

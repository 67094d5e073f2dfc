"""An environment is open under its alias within a block, and no longer, whatever happens in it."""

import pytest
from django.db import connections
from django.utils.connection import ConnectionDoesNotExist

from ops.environments.local import Provider
from ops.environments.opening import opened

pytestmark = pytest.mark.django_db


def test_an_alias_goes_even_where_closing_fails(branches: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("out of reach")

    feature = opened(branches, "feature")
    connection = connections[feature.__enter__()]
    monkeypatch.setattr(connection, "close", fail)
    with pytest.raises(OSError, match="out of reach"):
        feature.__exit__(None, None, None)
    with pytest.raises(ConnectionDoesNotExist):
        connections[connection.alias]
    with opened(branches, "feature") as alias, connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")


def test_an_alias_goes_after_an_exception(branches: Provider) -> None:
    with pytest.raises(ValueError, match="within"), opened(branches, "feature") as alias:
        raise ValueError("within")
    with pytest.raises(ConnectionDoesNotExist):
        connections[alias]

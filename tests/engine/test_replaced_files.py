"""A connection that is kept between requests notices that its file is another one."""

from pathlib import Path

import pytest
from django.db import connections, transaction
from django.db.utils import OperationalError
from pytest_django import DjangoDbBlocker

from tests.prompts.databases import opened


@pytest.fixture(autouse=True)
def _unblocked(django_db_blocker: DjangoDbBlocker):
    with django_db_blocker.unblock():
        yield


def value(alias: str) -> object:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT value FROM kept")
        return cursor.fetchone()[0]


def write(alias: str, text: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS kept (value TEXT)")
        cursor.execute("INSERT INTO kept VALUES (%s)", [text])


def test_a_file_put_in_its_place_is_opened(tmp_path: Path):
    with opened("kept", tmp_path / "one.db", CONN_MAX_AGE=None) as alias:
        write(alias, "old")
        connections[alias].close_if_unusable_or_obsolete()
        kept = connections[alias].connection
        assert kept is not None
        with opened("other", tmp_path / "two.db") as other:
            write(other, "new")
        (tmp_path / "two.db").replace(tmp_path / "one.db")
        for rest in tmp_path.glob("one.db-*"):
            rest.unlink()
        connections[alias].close_if_unusable_or_obsolete()
        assert value(alias) == "new"
        assert connections[alias].connection is not kept


def test_a_file_that_is_gone_is_not_written_to(tmp_path: Path):
    file = tmp_path / "one.db"
    with opened("made", file) as alias:
        write(alias, "old")
    with opened("kept", file, CONN_MAX_AGE=None, OPTIONS={"must_exist": True}) as alias:
        assert value(alias) == "old"
        for part in tmp_path.glob("one.db*"):
            part.unlink()
        connections[alias].close_if_unusable_or_obsolete()
        with pytest.raises(OperationalError):
            write(alias, "lost")
        assert not file.exists()


def test_a_transaction_is_not_cut_off(tmp_path: Path):
    with opened("kept", tmp_path / "one.db", CONN_MAX_AGE=None) as alias:
        write(alias, "old")
        with transaction.atomic(using=alias):
            kept = connections[alias].connection
            (tmp_path / "one.db").rename(tmp_path / "elsewhere.db")
            connections[alias].close_if_unusable_or_obsolete()
            assert connections[alias].connection is kept
        (tmp_path / "elsewhere.db").rename(tmp_path / "one.db")

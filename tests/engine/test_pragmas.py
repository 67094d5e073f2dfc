"""The PRAGMAs of a new connection: measured defaults, and a list that guards what cannot be bound."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from .conftest import OpenDatabase

INJECTIONS = [
    "WAL; DROP TABLE t",
    "OFF--",
    "1)",
    "'WAL'",
    '"WAL"',
    "NORMAL\n",
    "a b",
    "1.5",
    "--1",
    "",
    "WAL/**/",
    "readfile('x')",
    "ＯＮ",
]


def pragma(database: BaseDatabaseWrapper, name: str) -> object:
    with database.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_size", 8192),
        ("journal_mode", "wal"),
        ("foreign_keys", 1),
        ("synchronous", 1),  # NORMAL
        ("cache_size", -20_000),
        ("temp_store", 2),  # MEMORY
        ("legacy_alter_table", 0),
    ],
)
def test_a_new_file_has_the_defaults(open_database: OpenDatabase, name: str, value: object) -> None:
    assert pragma(open_database(), name) == value


def test_the_page_size_is_that_of_the_file_for_the_next_connection(open_database: OpenDatabase) -> None:
    first = open_database(pragmas={"page_size": 4096})
    assert pragma(first, "page_size") == 4096
    first.close()
    assert pragma(open_database(), "page_size") == 4096


def test_a_memory_database_takes_no_pragmas_of_files(open_database: OpenDatabase) -> None:
    database = open_database(":memory:")
    assert pragma(database, "journal_mode") == "memory"
    assert pragma(database, "foreign_keys") == 1


def test_options_win_over_the_defaults(open_database: OpenDatabase) -> None:
    database = open_database(
        pragmas={
            "synchronous": "FULL",
            "cache_size": -1234,
            "journal_mode": "delete",
            "wal_autocheckpoint": 7,
        }
    )
    assert pragma(database, "synchronous") == 2
    assert pragma(database, "cache_size") == -1234
    assert pragma(database, "journal_mode") == "delete"
    assert pragma(database, "wal_autocheckpoint") == 7
    assert pragma(database, "foreign_keys") == 1


def test_none_leaves_libsqls_own_value(open_database: OpenDatabase) -> None:
    assert pragma(open_database(pragmas={"journal_mode": None}), "journal_mode") == "delete"


@pytest.mark.parametrize(
    "name", ["jornal_mode", "key", "writable_schema", "x; DROP TABLE t", "JOURNAL_MODE", ""]
)
def test_it_refuses_a_name_that_is_not_listed(open_database: OpenDatabase, name: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        open_database(pragmas={name: 1}).connect()
    assert repr(name) in str(caught.value)
    assert "journal_mode" in str(caught.value)  # what is known


@pytest.mark.parametrize("value", INJECTIONS)
def test_it_refuses_a_value_that_is_no_word(open_database: OpenDatabase, value: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        open_database(pragmas={"synchronous": value}).connect()
    assert "'synchronous'" in str(caught.value)
    assert repr(value) in str(caught.value)


def test_it_refuses_an_unknown_option(open_database: OpenDatabase) -> None:
    with pytest.raises(ImproperlyConfigured, match="unknown names: isolation_level"):
        open_database(isolation_level=None).connect()


def test_it_refuses_an_unknown_transaction_mode(open_database: OpenDatabase) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"'PROMPTLY'.*'IMMEDIATE'"):
        open_database(transaction_mode="PROMPTLY").connect()


def test_init_commands_run_on_every_new_connection(open_database: OpenDatabase) -> None:
    database = open_database(init_command="PRAGMA cache_size = -77; PRAGMA recursive_triggers = ON;")
    assert pragma(database, "cache_size") == -77
    database.close()
    assert (pragma(database, "cache_size"), pragma(database, "recursive_triggers")) == (-77, 1)


def test_a_wrong_init_command_opens_no_connection(open_database: OpenDatabase) -> None:
    database = open_database(init_command="SELECT 1; NONSENSE")
    with pytest.raises(OperationalError, match="NONSENSE"):
        database.ensure_connection()
    assert database.connection is None

"""System checks of the pools, and Django's view of a server."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django.fixtures import Settings

from afn_project import checks


@pytest.fixture
def alias() -> object:
    connections.settings["server"] = {
        **connections.settings["default"],
        "NAME": "http://127.0.0.1:1",
        "OPTIONS": {"pool_size": 10, "max_overflow": 5},
        "CONN_MAX_AGE": 0,
    }
    yield "server"
    del connections["server"]
    del connections.settings["server"]


def found(alias: str) -> list[str]:
    return [str(message.id) for message in checks.check_servers(databases=[alias])]


def test_pools_larger_than_the_server_are_warned_of(alias: str, settings: Settings) -> None:
    settings.AFN_SERVER_CONNECTIONS, settings.AFN_PROCESSES = 60, 4
    assert found(alias) == []
    settings.AFN_PROCESSES = 5
    (warning,) = checks.check_servers(databases=[alias])
    assert warning.id == "afn.W001"
    assert "5 processes with up to 15 connections" in warning.msg
    assert "DB_POOL_SIZE" in str(warning.hint)


def test_an_age_of_connections_means_nothing_to_a_server(alias: str, settings: Settings) -> None:
    connections[alias].settings_dict["CONN_MAX_AGE"] = 60
    assert found(alias) == ["afn.W002"]


def test_a_file_has_no_pool() -> None:
    assert found("default") == []


def test_the_checks_run_where_databases_are_checked(alias: str, settings: Settings) -> None:
    settings.AFN_SERVER_CONNECTIONS = 1
    with pytest.raises(CommandError, match=r"afn\.W001"):
        call_command("check", databases=[alias], fail_level="WARNING")

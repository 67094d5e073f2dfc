"""System checks of the pools, and Django's view of a server."""

from types import SimpleNamespace

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


@pytest.mark.parametrize(
    ("name", "in_plain", "in_deploy"),
    [
        ("http://db.example.org", ["afn.W003"], []),
        ("http://8.8.8.8:8080", ["afn.W003"], []),
        ("http://libsql:8080?namespace=prod", [], ["afn.W003"]),
        ("http://10.0.0.5:8080", [], ["afn.W003"]),
        ("http://127.0.0.1:8080", [], []),
        ("http://[::1]:8080", [], []),
        ("https://db.example.org", [], []),
        ("libsql://db.turso.io", [], []),
    ],
)
def test_a_token_in_plain_text_is_warned_of(
    alias: str, name: str, in_plain: list[str], in_deploy: list[str]
) -> None:
    settings = connections[alias].settings_dict
    settings["NAME"] = name
    assert checks.check_open_addresses() + checks.check_private_addresses() == []  # there is no token
    settings["OPTIONS"] = {"auth_token": "canary"}
    found = checks.check_open_addresses()
    assert [message.id for message in found] == in_plain
    assert [message.id for message in checks.check_private_addresses()] == in_deploy
    assert "canary" not in str(found)


@pytest.mark.parametrize(
    ("replica", "processes", "cache", "expected"),
    [
        ("replica", 4, "django.core.cache.backends.locmem.LocMemCache", ["afn.W004"]),
        ("replica", 4, "django_redis.cache.RedisCache", []),
        ("replica", 1, "django.core.cache.backends.locmem.LocMemCache", []),
        ("other", 4, "django.core.cache.backends.locmem.LocMemCache", []),
    ],
)
def test_a_replica_wants_a_cache_that_processes_share(
    monkeypatch: pytest.MonkeyPatch, replica: str, processes: int, cache: str, expected: list[str]
) -> None:
    settings = SimpleNamespace(
        DATABASES={"default": {}, replica: {}},
        AFN_PROCESSES=processes,
        CACHES={"default": {"BACKEND": cache}},
    )
    monkeypatch.setattr(checks, "settings", settings)
    assert [message.id for message in checks.check_shared_cache()] == expected

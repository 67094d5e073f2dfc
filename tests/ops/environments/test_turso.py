"""Environments at Turso, on a stand-in of its Platform API whose databases are on a real libSQL server."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.db.utils import ConnectionHandler
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from afn_project.libsql import errors
from ops.environments.base import (
    Environment,
    EnvironmentProblem,
    NameTaken,
    NotConfigured,
    Protected,
    ProviderFailed,
    UnknownEnvironment,
    WrongName,
)
from ops.environments.opening import create_with_tables
from ops.environments.turso import Provider, database_name
from ops.environments.turso_api import Api
from tests.servers import HOST, free_port
from tests.sqld import Sqld, company_sqld

from .turso_server import API_TOKEN, ORGANIZATION, Turso, cut, raw, refusal, turso

pytestmark = pytest.mark.sqld

HOSTILE = ["..%2f", "a/b", "..", "Prod", "a" * 64, "", "a b", "prod\n", "ｐｒｏｄ"]
_ENGINE = "afn_project.libsql"
_numbers = count(1)
FROZEN = "writes are blocked at Turso, which keeps no reason"


@pytest.fixture(scope="module")
def sqld(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqld]:
    with company_sqld(tmp_path_factory.mktemp("turso")) as server:
        yield server


@pytest.fixture(autouse=True)
def _databases(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A new database is asked whether it answers."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def server(sqld: Sqld) -> Iterator[Turso]:
    """Turso with `prod`, which holds one row."""
    with turso(sqld) as running:
        running.add("prod")
        # No two tests share a token, and so none a connection to a namespace that is deleted by now.
        token = sqld.token(seconds=3600 + next(_numbers))
        entry = {"ENGINE": _ENGINE, "NAME": sqld.name("prod"), "OPTIONS": {"auth_token": token}}
        with opened(entry) as cursor:
            cursor.execute("CREATE TABLE t (x)")
            cursor.execute("INSERT INTO t VALUES (1)")
        yield running
        for name in running.databases:
            sqld.delete(name)


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that the provider would have waited."""
    return []


@pytest.fixture
def provider(server: Turso, pauses: list[float]) -> Provider:
    return provider_of(server, pauses)


def provider_of(server: Turso, pauses: list[float], *, token: str = API_TOKEN, **changes: Any) -> Provider:
    arguments = {
        "group": "default",
        "current": "prod",
        "host": server.databases["prod"]["Hostname"],
        "protected": ["staging"],
        "options": {"timeout": 5.0},
        "pause": pauses.append,
    }
    api = Api(url=server.url, organization=ORGANIZATION, token=token, pause=pauses.append)
    return Provider(api, **{**arguments, **changes})


@contextmanager
def opened(entry: dict[str, Any]) -> Iterator[Any]:
    """A cursor on an entry of ``DATABASES``, through Django."""
    connection = ConnectionHandler({"default": entry})["default"]
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def rows(provider: Provider, name: str) -> Any:
    with opened(provider.database(name)) as cursor:
        return cursor.execute("SELECT x FROM t").fetchall()


def add_row(provider: Provider, name: str) -> None:
    with opened(provider.database(name)) as cursor:
        cursor.execute("INSERT INTO t VALUES (2)")


def names(provider: Provider) -> list[str]:
    return [environment.name for environment in provider.list()]


def changes(server: Turso) -> list[str]:
    """The requests that ask for a change."""
    return [request for request in server.requests if not request.startswith("GET ")]


def texts(error: BaseException | None) -> str:
    """All that a traceback could show of an error: texts and reprs along both chains."""
    if error is None:
        return ""
    return f"{error} {error!r} {texts(error.__cause__)} {texts(error.__context__)}"


# From the making to the end


def test_the_current_environment_is_listed_in_one_request(provider: Provider, server: Turso) -> None:
    address = f"http://{server.databases['prod']['Hostname']}"
    assert provider.list() == [Environment("prod", address, is_current=True)]
    assert server.requests == ["GET /v1/organizations/acme/databases?group=default"]


def test_environments_are_the_databases_of_the_group_with_strict_names(
    provider: Provider, server: Turso
) -> None:
    server.add("staging")
    server.add("theirs", "another")
    for name in ("9lives", "a" * 64):  # Turso allows them
        server.databases[name] = {**server.databases["staging"], "Name": name}
    found = provider.list()
    assert [(one.name, one.is_protected) for one in found] == [("prod", False), ("staging", True)]
    for name in ("9lives", "a" * 64):
        del server.databases[name]


def test_a_fork_goes_its_own_way(provider: Provider) -> None:
    fork = provider.fork("prod", "feature-x")
    assert (fork.parent, fork.frozen, fork.is_current, fork.is_protected) == ("prod", "", False, False)
    assert fork.created_at == datetime(2025, 4, 15, 13, 14, 34, 468213, tzinfo=UTC)
    add_row(provider, "feature-x")
    assert rows(provider, "feature-x") == [(1,), (2,)]
    assert rows(provider, "prod") == [(1,)]
    provider.delete("feature-x")
    assert names(provider) == ["prod"]
    with pytest.raises(UnknownEnvironment, match=r"There are: prod\."):
        provider.database("feature-x")


def test_a_new_environment_gets_tables(provider: Provider) -> None:
    assert create_with_tables(provider, "fresh").parent == ""
    with opened(provider.database("fresh")) as cursor:
        assert cursor.execute("SELECT count(*) FROM prompts").fetchone() == (0,)


def test_a_database_becomes_a_file_and_a_database_again(provider: Provider, tmp_path: Path) -> None:
    file = tmp_path / "captured.db"
    provider.capture("prod", file)
    provider.load("again", file)
    assert rows(provider, "again") == [(1,)]
    with pytest.raises(EnvironmentProblem, match="set TURSO_DATABASE_URL to"):
        provider.replace("prod", source="again", kept="before")
    assert rows(provider, "prod") == [(1,)]


def test_writes_are_blocked_and_reading_goes_on(provider: Provider) -> None:
    frozen = provider.freeze("prod", "moving")
    assert frozen.frozen == FROZEN
    with pytest.raises(errors.WritesBlocked):
        add_row(provider, "prod")
    assert rows(provider, "prod") == [(1,)]
    assert provider.unfreeze("prod").frozen == ""
    add_row(provider, "prod")


def test_a_copy_is_never_frozen_nor_protected_at_turso(provider: Provider, server: Turso) -> None:
    provider.freeze("prod", "moving")
    server.databases["prod"]["delete_protection"] = True
    server.copies = ("block_writes", "delete_protection")
    fork = provider.fork("prod", "feature-x")
    assert (fork.frozen, fork.is_protected) == ("", False)
    assert provider.get("prod").frozen == FROZEN
    add_row(provider, "feature-x")
    provider.delete("feature-x")


# Rules


def test_a_taken_name_makes_no_change(provider: Provider, server: Turso) -> None:
    for make in (lambda: provider.create("prod"), lambda: provider.fork("prod", "prod")):
        with pytest.raises(NameTaken, match="There is an environment 'prod' already"):
            make()
    assert changes(server) == []


def test_a_name_that_another_group_or_operator_has(provider: Provider, server: Turso) -> None:
    server.add("theirs", "another")
    with pytest.raises(NameTaken, match="database with name theirs already exists"):
        provider.fork("prod", "theirs")
    assert "theirs" in server.databases  # not ours to remove


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_make_no_request(provider: Provider, server: Turso, name: str) -> None:
    uses: list[Callable[[], Any]] = [
        lambda: provider.get(name),
        lambda: provider.create(name),
        lambda: provider.fork("prod", name),
        lambda: provider.fork(name, "copy"),
        lambda: provider.delete(name),
        lambda: provider.freeze(name, "why"),
        lambda: provider.unfreeze(name),
        lambda: provider.database(name),
        lambda: provider.mint_token(name, read_only=True, lifetime=timedelta(hours=1)),
    ]
    for use in uses:
        with pytest.raises(WrongName):
            use()
    assert server.requests == []


def test_the_current_and_protected_ones_stay(provider: Provider, server: Turso) -> None:
    server.add("staging")
    server.add("kept", delete_protection=True)
    with pytest.raises(Protected, match="'prod' is the environment that this process works on"):
        provider.delete("prod")
    for name in ("staging", "kept"):
        with pytest.raises(Protected, match="names it, or its delete protection is turned on at Turso"):
            provider.delete(name)
    assert changes(server) == []


def test_delete_protection_that_is_turned_on_in_between_holds(provider: Provider, server: Turso) -> None:
    server.add("kept", delete_protection=True)
    with pytest.raises(ProviderFailed, match="database is protected from deletion"):
        provider._delete("kept")
    assert "kept" in server.databases


def test_unknown_environments(provider: Provider, server: Turso) -> None:
    uses: list[Callable[[], Any]] = [
        lambda: provider.fork("nowhere", "copy"),
        lambda: provider.delete("nowhere"),
        lambda: provider.freeze("nowhere", "why"),
        lambda: provider.unfreeze("nowhere"),
        lambda: provider.database("nowhere"),
    ]
    for use in uses:
        with pytest.raises(UnknownEnvironment, match=r"no environment 'nowhere'. There are: prod"):
            use()
    assert changes(server) == []


@pytest.mark.parametrize("wrong", [{"group": "another"}, {"host": "prod-acme.turso.io"}, {"current": "dev"}])
def test_the_current_database_must_be_in_the_group(
    server: Turso, pauses: list[float], wrong: dict[str, str]
) -> None:
    """Otherwise nothing would tell which one must not be deleted."""
    server.add("theirs", "another")
    provider = provider_of(server, pauses, **wrong)
    groups = r"Groups of acme: another \(AWS EU West \(Ireland\)\), default \(AWS EU West"
    for use in (provider.list, lambda: provider.delete("theirs"), lambda: provider.delete("prod")):
        with pytest.raises(NotConfigured, match=f"TURSO_GROUP: expected the group.*{groups}"):
            use()
    assert changes(server) == []


# Waiting


def test_a_database_that_answers_later(provider: Provider, server: Turso, pauses: list[float]) -> None:
    server.refusals = 6  # the engine asks three times
    provider.create("slow")
    assert pauses == [0.2, 0.5]
    assert len([request for request in server.requests if "auth/tokens" in request]) == 1


def test_a_database_that_is_listed_later(provider: Provider, server: Turso, pauses: list[float]) -> None:
    server.script = [*[None] * 2, raw(b'{"databases": []}'), raw(b'{"databases": []}')]
    provider.create("slow")
    assert pauses == [0.2, 0.5]


def test_a_database_that_never_answers_is_removed_again(
    provider: Provider, server: Turso, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.environments.turso._PAUSES", (1, 2))
    server.refusals = 10_000
    with pytest.raises(ProviderFailed, match="made 'slow', but it did not answer within 3 s: "):
        provider.fork("prod", "slow")
    assert pauses == [1, 2]
    assert list(server.databases) == ["prod"]


def test_a_database_that_cannot_be_removed_again_is_named(
    provider: Provider, server: Turso, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.environments.turso._PAUSES", ())
    server.script = [None, None, refusal(500, "disk full")]
    with pytest.raises(ProviderFailed, match=r"slow.* could not be removed again: do so with .*disk full"):
        provider.create("slow")


# Failures


def test_an_answer_that_is_lost_leaves_the_outcome_open(provider: Provider, server: Turso) -> None:
    server.script = [None, cut]
    with pytest.raises(ProviderFailed, match="It may have been done all the same: look with"):
        provider.create("new")
    assert len(changes(server)) == 1  # neither tried again nor removed: it could be somebody else's


def test_nobody_is_there(server: Turso, pauses: list[float]) -> None:
    api = Api(url=f"http://{HOST}:{free_port()}", organization=ORGANIZATION, token=API_TOKEN)
    provider = Provider(api, group="default", current="prod", host="prod-acme.turso.io")
    uses: list[Callable[[], Any]] = [
        provider.list,
        lambda: provider.create("new"),
        lambda: provider.delete("new"),
        lambda: provider.database("prod"),
    ]
    for use in uses:
        with pytest.raises(ProviderFailed, match="gave no answer"):
            use()


def test_a_wrong_token_is_not_shown(
    server: Turso, pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    provider = provider_of(server, pauses, token="canary-wrong")
    with pytest.raises(ProviderFailed, match="Set TURSO_API_TOKEN") as caught:
        provider.create("new")
    assert "canary" not in texts(caught.value) + caplog.text + repr(vars(provider))


# Tokens


@pytest.mark.parametrize(("read_only", "access"), [(True, "ro"), (False, "rw")])
def test_tokens_are_for_one_database_and_expire(provider: Provider, read_only: bool, access: str) -> None:
    token = provider.mint_token("prod", read_only=read_only, lifetime=timedelta(hours=2))
    claims = jwt.decode(token.text, options={"verify_signature": False})
    assert (claims["id"], claims["a"], token.namespace, token.access) == ("prod", access, "prod", access)
    assert abs(claims["exp"] - token.expires_at.timestamp()) <= 2
    assert str(token.text) not in repr(token)


@pytest.mark.parametrize(
    ("lifetime", "allow_long"),
    [
        (timedelta(0), False),
        (timedelta(hours=24, seconds=1), False),
        (timedelta(days=30, seconds=1), True),
    ],
)
def test_tokens_do_not_live_for_ever(
    provider: Provider, server: Turso, lifetime: timedelta, allow_long: bool
) -> None:
    with pytest.raises(EnvironmentProblem, match=r"lifetime: expected 1 second to \d+ hours, got "):
        provider.mint_token("prod", read_only=True, lifetime=lifetime, allow_long=allow_long)
    assert server.requests == []


def test_a_database_is_opened_with_a_token_of_hours(provider: Provider, server: Turso) -> None:
    entry = provider.database("prod")
    token = entry["OPTIONS"]["auth_token"]
    assert entry["OPTIONS"]["timeout"] == 5.0
    assert str(token) not in repr(entry)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert timedelta(hours=3) < datetime.fromtimestamp(claims["exp"], UTC) - datetime.now(UTC)
    assert "expiration=4h&authorization=full-access" in server.requests[-1]


def test_no_token_reaches_the_log(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = provider.database("prod")["OPTIONS"]["auth_token"]
    rows(provider, "prod")
    assert str(token) not in caplog.text
    assert API_TOKEN not in caplog.text


# Settings


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("prod-acme.aws-eu-west-1.turso.io", "prod"),
        ("prod-acme.turso.io", "prod"),
        ("feature-x-acme.turso.io", "feature-x"),
    ],
)
def test_the_host_tells_the_current_environment(host: str, name: str) -> None:
    assert database_name(host, "acme") == name


@pytest.mark.parametrize(
    "host", ["prod-other.turso.io", "acme.turso.io", "-acme.turso.io", "9-acme.turso.io", ""]
)
def test_a_host_of_another_organization(host: str) -> None:
    with pytest.raises(NotConfigured, match="TURSO_ORGANIZATION: expected the organization in the host of"):
        database_name(host, "acme")


@pytest.fixture
def configured(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    entry = {
        "ENGINE": _ENGINE,
        "NAME": "https://prod-acme.aws-eu-west-1.turso.io",
        "OPTIONS": {"auth_token": "canary-jwt", "timeout": 7.0},
    }
    monkeypatch.setitem(settings.DATABASES, "default", entry)
    settings.TURSO_API_URL = "https://api.turso.tech"
    settings.TURSO_API_TOKEN = API_TOKEN
    settings.TURSO_ORGANIZATION = "Acme"
    settings.TURSO_GROUP = "default"
    return settings


def test_the_settings_make_a_provider(configured: Settings) -> None:
    with turso() as server:
        server.add("prod")
        configured.TURSO_ORGANIZATION = ORGANIZATION
        configured.TURSO_API_URL = server.url
        configured.AFN_PROTECTED_ENVIRONMENTS = ["prod"]
        provider = Provider.from_settings()
        assert provider.kind == "turso"
        (prod,) = provider.list()
        assert (prod.name, prod.is_current, prod.is_protected) == ("prod", True, True)
        entry = provider.database("prod")
    assert entry["OPTIONS"] == {"timeout": 7.0, "auth_token": "canary-jwt-of-prod"}


def test_addresses_are_turso_s_own(configured: Settings) -> None:
    provider = Provider.from_settings()
    with turso() as server:
        server.add("prod")
        database = provider_of(server, [])._api.databases("default")[0]
    assert provider._address(database) == "libsql://prod-acme.aws-eu-west-1.turso.io"


@pytest.mark.parametrize("name", ["TURSO_API_TOKEN", "TURSO_ORGANIZATION"])
def test_a_setting_that_is_missing(configured: Settings, name: str) -> None:
    setattr(configured, name, None)
    with pytest.raises(NotConfigured, match=f"^{name} is not set: environments at Turso need"):
        Provider.from_settings()

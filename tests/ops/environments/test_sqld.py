"""Environments on a real server: their life, two operators at once, and crashes between any two steps."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db.utils import ConnectionHandler
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from afn_project.libsql import dbapi, errors
from ops.environments import sqld_registry, tokens
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
from ops.environments.reports import work_in
from ops.environments.sqld import Provider
from tests.servers import HOST, SQLD_READY, Server, free_port, require, running
from tests.sqld import ADMIN_KEY, Sqld, company_sqld

pytestmark = pytest.mark.sqld

HOSTILE = ["..%2f", "a/../b", "Prod", "a" * 64, "", "prod\n", "afn-x", "afn-environments"]


_numbers = count(1)


class Crash(BaseException):
    """The operator's process ends here."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqld]:
    with company_sqld(tmp_path_factory.mktemp("shared")) as server:
        yield server


@pytest.fixture(autouse=True)
def _databases(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The registry is a database of its own on the test's server."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def server(shared: Sqld) -> Iterator[Sqld]:
    """A server that holds `prod` with one row, and nothing else after the test."""
    fill(shared)
    yield shared
    for path in (data_of(shared) / "dbs").iterdir():
        if path.name != "default":
            shared.delete(path.name)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Sqld]:
    """One that may come to harm."""
    with company_sqld(tmp_path / "company") as server:
        fill(server)
        yield server


@pytest.fixture
def provider(server: Sqld, tmp_path: Path) -> Provider:
    return provider_of(server, tmp_path / "keys")


def new_token(server: Sqld) -> str:
    """No two are the same, so that no two users share connections, some of them to deleted namespaces."""
    return server.token(seconds=3600 + next(_numbers))


def fill(server: Sqld) -> None:
    server.create("prod")
    query(server, "prod", "CREATE TABLE t (x)")
    query(server, "prod", "INSERT INTO t VALUES (1)")


def provider_of(server: Sqld, keys: Path, **changes: Any) -> Provider:
    arguments = {
        "url": server.url,
        "admin_url": server.admin_url,
        "admin_key": ADMIN_KEY,
        "token": new_token(server),
        "keys": keys,
        "current": "prod",
        "protected": ["prod", "staging"],
        "options": {"timeout": 5.0},
    }
    return Provider(**{**arguments, **changes})


def query(server: Sqld, namespace: str, sql: str) -> list[tuple[Any, ...]]:
    connection = dbapi.connect(server.name(namespace), auth_token=new_token(server), timeout=10.0)
    with closing(connection):
        return connection.execute(sql).fetchall()


@contextmanager
def opened(entry: dict[str, Any]) -> Iterator[Any]:
    """A cursor on an entry of ``DATABASES``, through Django."""
    connection = ConnectionHandler({"default": entry})["default"]
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def names(provider: Provider) -> list[str]:
    return [environment.name for environment in provider.list()]


def data_of(server: Sqld) -> Path:
    return Path(server.command[server.command.index("-d") + 1])


def holds(server: Sqld, namespace: str) -> bool:
    return (data_of(server) / "dbs" / namespace).exists()


# From the making to the end


def test_the_current_environment_is_listed_from_the_first_use_on(provider: Provider, server: Sqld) -> None:
    (prod,) = provider.list()
    assert prod == Environment(
        name="prod",
        address=f"{server.url}?namespace=prod",
        is_current=True,
        is_protected=True,
        size=prod.size,
    )
    assert prod.size is not None


def test_a_created_environment_is_empty_and_can_be_used(provider: Provider) -> None:
    made = provider.create("feature-x")
    assert (made.name, made.parent, made.is_current, made.frozen) == ("feature-x", "", False, "")
    assert made.created_at is not None
    assert names(provider) == ["feature-x", "prod"]
    with opened(provider.database("feature-x")) as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_master")
        assert cursor.fetchone() == (0,)


def test_a_fork_is_a_copy_that_goes_its_own_way(provider: Provider, server: Sqld) -> None:
    made = provider.fork("prod", "feature-x")
    assert made.parent == "prod"
    with opened(provider.database("feature-x")) as cursor:
        cursor.execute("INSERT INTO t VALUES (2)")
    assert query(server, "feature-x", "SELECT x FROM t ORDER BY x") == [(1,), (2,)]
    assert query(server, "prod", "SELECT x FROM t") == [(1,)]
    grandchild = provider.fork("feature-x", "feature-y")
    assert grandchild.parent == "feature-x"
    provider.delete("feature-x")
    assert query(server, "feature-y", "SELECT count(*) FROM t") == [(2,)]


@pytest.fixture
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are free as soon as they are deleted."""
    monkeypatch.setattr(sqld_registry, "REST_SECONDS", 0)


def test_a_deleted_environment_is_gone_and_its_name_rests(provider: Provider, server: Sqld) -> None:
    provider.fork("prod", "feature-x")
    provider.delete("feature-x")
    assert names(provider) == ["prod"]
    assert not holds(server, "feature-x")
    # A connection that is open to the deleted one would go on in it.
    with pytest.raises(NameTaken, match="within the last 15 s"):
        provider.create("feature-x")
    assert not holds(server, "feature-x")


def test_why_a_name_rests_the_server_loses_writes_of_older_connections(server: Sqld) -> None:
    server.create("feature-x")
    older = dbapi.connect(server.name("feature-x"), auth_token=new_token(server), timeout=5.0)
    with closing(older):
        older.execute("CREATE TABLE t (x)")
        server.delete("feature-x")
        server.create("feature-x")
        older.execute("INSERT INTO t VALUES (1)")
        assert query(server, "feature-x", "SELECT count(*) FROM sqlite_master") == [(0,)]


@pytest.mark.usefixtures("no_rest")
def test_a_name_can_be_used_again_after_its_rest(provider: Provider, server: Sqld) -> None:
    provider.fork("prod", "feature-x")
    provider.delete("feature-x")
    provider.create("feature-x")
    assert query(server, "feature-x", "SELECT count(*) FROM sqlite_master") == [(0,)]


def test_another_process_sees_the_same_list(provider: Provider, server: Sqld, tmp_path: Path) -> None:
    provider.fork("prod", "feature-x")
    other = provider_of(server, tmp_path / "keys", current="feature-x")
    seen = {environment.name: environment for environment in other.list()}
    assert sorted(seen) == ["feature-x", "prod"]
    assert seen["feature-x"].is_current
    assert not seen["prod"].is_current


def test_a_fork_is_of_one_moment_while_others_write(provider: Provider, server: Sqld) -> None:
    query(server, "prod", "CREATE TABLE pairs (side, number)")
    stop, written = threading.Event(), threading.Semaphore(0)

    def write() -> None:
        connection = dbapi.connect(server.name("prod"), auth_token=new_token(server), timeout=10.0)
        with closing(connection):
            number = 0
            while not stop.is_set():
                number += 1
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO pairs VALUES ('left', ?)", [number])
                connection.execute("INSERT INTO pairs VALUES ('right', ?)", [number])
                connection.commit()
                written.release()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            for _ in range(20):
                assert written.acquire(timeout=10)
            provider.fork("prod", f"copy-{number}")
    finally:
        stop.set()
        writer.join()
    for number in range(5):
        sides = query(server, f"copy-{number}", "SELECT side, count(*), max(number) FROM pairs GROUP BY side")
        (_, left, left_max), (_, right, right_max) = sides
        assert left == right == left_max == right_max
        assert left >= 20 * (number + 1)


# Freezing


def test_whoever_writes_to_a_frozen_environment_sees_the_reason(provider: Provider, server: Sqld) -> None:
    assert (
        provider.freeze("prod", "moving to Tokyo, 移転 until 14:00").frozen
        == "moving to Tokyo, 移転 until 14:00"
    )
    with opened(provider.database("prod")) as cursor:
        with pytest.raises(errors.WritesBlocked, match="moving to Tokyo, 移転 until 14:00") as raised:
            cursor.execute("INSERT INTO t VALUES (2)")
        assert raised.value.reason == "moving to Tokyo, 移転 until 14:00"
        cursor.execute("SELECT x FROM t")
        assert cursor.fetchall() == [(1,)]
    assert provider.unfreeze("prod").frozen == ""
    query(server, "prod", "INSERT INTO t VALUES (2)")


def test_a_copy_of_a_frozen_environment_can_be_written(provider: Provider, server: Sqld) -> None:
    provider.freeze("prod", "rehearsal")
    assert provider.fork("prod", "feature-x").frozen == ""
    query(server, "feature-x", "INSERT INTO t VALUES (2)")
    assert provider.get("prod").frozen == "rehearsal"


def test_a_reason_may_say_unfinished(provider: Provider) -> None:
    provider.freeze("prod", "unfinished: work")
    assert provider.unfreeze("prod").frozen == ""


# Refusals


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_reaches_no_server(name: str, tmp_path: Path) -> None:
    nobody = f"http://{HOST}:{free_port()}"  # a request would fail otherwise than with WrongName
    provider = Provider(url=nobody, admin_url=nobody, keys=tmp_path, current="prod")
    uses: list[Callable[[], object]] = [
        lambda: provider.create(name),
        lambda: provider.fork("prod", name),
        lambda: provider.fork(name, "a"),
        lambda: provider.get(name),
        lambda: provider.delete(name),
        lambda: provider.freeze(name, "reason"),
        lambda: provider.unfreeze(name),
        lambda: provider.database(name),
        lambda: provider.dump(name, tmp_path / "dump.sql"),
        lambda: Provider(url=nobody, admin_url=nobody, keys=tmp_path, current=name),
    ]
    for use in uses:
        with pytest.raises(WrongName):
            use()
    assert list(tmp_path.iterdir()) == []


def test_taken_unknown_current_and_protected_names_change_nothing(provider: Provider, server: Sqld) -> None:
    provider.create("staging")
    provider.create("feature-x")
    before = _without_sizes(provider)
    refusals: list[tuple[type[EnvironmentProblem], str, Callable[[], object]]] = [
        (NameTaken, "already", lambda: provider.create("feature-x")),
        (NameTaken, "already", lambda: provider.fork("prod", "feature-x")),
        (NameTaken, "already", lambda: provider.fork("prod", "prod")),
        (UnknownEnvironment, "There are: feature-x, prod, staging", lambda: provider.fork("nope", "a")),
        (UnknownEnvironment, "'nope'", lambda: provider.delete("nope")),
        (UnknownEnvironment, "'nope'", lambda: provider.freeze("nope", "reason")),
        (UnknownEnvironment, "'nope'", lambda: provider.database("nope")),
        (Protected, "works on", lambda: provider.delete("prod")),
        (Protected, "AFN_PROTECTED_ENVIRONMENTS", lambda: provider.delete("staging")),
    ]
    for kind, text, use in refusals:
        with pytest.raises(kind, match=text):
            use()
    assert _without_sizes(provider) == before
    assert query(server, "prod", "SELECT x FROM t") == [(1,)]


def _without_sizes(provider: Provider) -> list[Environment]:
    """A server may write what it had in memory at any time, whoever asks it for what."""
    return [replace(one, size=0) for one in provider.list()]


def test_a_namespace_made_outside_is_never_touched_and_can_be_taken_in(
    provider: Provider, server: Sqld, tmp_path: Path
) -> None:
    server.create("legacy")
    query(server, "legacy", "CREATE TABLE precious (x)")
    for use in (lambda: provider.create("legacy"), lambda: provider.fork("prod", "legacy")):
        with pytest.raises(NameTaken, match="AFN_ENVIRONMENT=legacy"):
            use()
    with pytest.raises(UnknownEnvironment):
        provider.delete("legacy")
    assert names(provider_of(server, tmp_path / "keys", current="legacy")) == ["legacy", "prod"]
    assert query(server, "legacy", "SELECT count(*) FROM precious") == [(0,)]
    provider.delete("legacy")
    assert not holds(server, "legacy")


@pytest.mark.usefixtures("no_rest")
def test_what_was_removed_outside_leaves_the_list(provider: Provider, server: Sqld) -> None:
    provider.create("feature-x")
    server.delete("feature-x")
    assert names(provider) == ["prod"]
    provider.create("feature-x")


def test_a_server_without_namespaces_is_refused_and_left_alone(tmp_path: Path) -> None:
    port, admin = free_port(), free_port()
    command = [require("sqld"), "--no-welcome", "-d", str(tmp_path / "sqld")]
    command += ["--http-listen-addr", f"{HOST}:{port}", "--admin-listen-addr", f"{HOST}:{admin}"]
    with running(Server(command, SQLD_READY, port, f"http://{HOST}:{port}")) as server:
        provider = Provider(
            url=server.url, admin_url=f"http://{HOST}:{admin}", keys=tmp_path, current="default"
        )
        for use in (provider.list, lambda: provider.create("a"), lambda: provider.fork("default", "a")):
            with pytest.raises(NotConfigured, match="--enable-namespaces"):
                use()
        with closing(dbapi.connect(server.url, timeout=5.0)) as connection:
            assert connection.execute("SELECT count(*) FROM sqlite_master").fetchall() == [(0,)]


# Crashes


@pytest.mark.usefixtures("no_rest")
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("operation", ["create", "fork"])
def test_an_operator_that_dies_while_making_one(
    provider: Provider,
    server: Sqld,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    before: bool,
) -> None:
    work = getattr(provider._admin, operation)

    def die(*arguments: str) -> None:
        if arguments[-1] == "feature-x":
            if not before:
                work(*arguments)
            raise Crash
        work(*arguments)

    def make(by: Provider) -> Environment:
        return by.create("feature-x") if operation == "create" else by.fork("prod", "feature-x")

    monkeypatch.setattr(provider._admin, operation, die)
    with pytest.raises(Crash):
        make(provider)

    another = provider_of(server, tmp_path / "keys")
    found = another.get("feature-x")
    with pytest.raises(NameTaken):
        make(another)
    if before:  # nothing is there: it says so, and can only be deleted
        assert found.frozen.startswith("unfinished: it is being made")
        for use in (
            lambda: another.database("feature-x"),
            lambda: another.fork("feature-x", "feature-y"),
            lambda: another.unfreeze("feature-x"),
        ):
            with pytest.raises(EnvironmentProblem, match="cannot be used: unfinished"):
                use()
    else:  # the server had done it
        assert found.frozen == ""
        with opened(another.database("feature-x")) as cursor:
            cursor.execute("SELECT 1")
    another.delete("feature-x")
    assert names(another) == ["prod"]
    assert not holds(server, "feature-x")
    assert make(another).frozen == ""


@pytest.mark.usefixtures("no_rest")
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_an_operator_that_dies_while_deleting_one(
    provider: Provider, server: Sqld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    provider.create("feature-x")
    work = provider._admin.delete

    def die(name: str) -> None:
        if not before:
            work(name)
        raise Crash

    monkeypatch.setattr(provider._admin, "delete", die)
    with pytest.raises(Crash):
        provider.delete("feature-x")
    another = provider_of(server, tmp_path / "keys")
    if before:
        assert another.get("feature-x").frozen.startswith("unfinished: it is being deleted")
        with pytest.raises(EnvironmentProblem, match="cannot be used"):
            another.database("feature-x")
        another.delete("feature-x")
    assert names(another) == ["prod"]
    another.create("feature-x")


@pytest.mark.usefixtures("no_rest")
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("operation", ["create", "fork", "delete"])
def test_a_server_that_is_killed_between_two_steps(
    own_server: Sqld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, before: bool
) -> None:
    provider = provider_of(own_server, tmp_path / "keys")
    if operation == "delete":
        provider.create("feature-x")
    assert names(provider)
    work = getattr(provider._admin, operation)

    def kill(*arguments: str) -> None:
        if before:
            own_server.kill()
        work(*arguments)
        own_server.kill()

    monkeypatch.setattr(provider._admin, operation, kill)
    arguments = ["prod", "feature-x"] if operation == "fork" else ["feature-x"]
    with pytest.raises(ProviderFailed, match="unfinished"):
        getattr(provider, operation)(*arguments)
    own_server.start()

    another = provider_of(own_server, tmp_path / "keys")
    if "feature-x" in names(another):
        another.delete("feature-x")
    assert names(another) == ["prod"]
    assert not holds(own_server, "feature-x")
    assert query(own_server, "prod", "SELECT x FROM t") == [(1,)]
    assert another.fork("prod", "feature-x").frozen == ""


def test_a_server_that_is_killed_in_the_middle_of_a_fork(own_server: Sqld, tmp_path: Path) -> None:
    query(own_server, "prod", "CREATE TABLE big (x)")
    numbers = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 30000)"
    query(own_server, "prod", f"INSERT INTO big {numbers} SELECT randomblob(2000) FROM c")
    provider = provider_of(own_server, tmp_path / "keys")
    problems: list[EnvironmentProblem] = []

    def fork() -> None:
        try:
            provider.fork("prod", "feature-x")
        except EnvironmentProblem as problem:
            problems.append(problem)

    provider.list()
    forking = threading.Thread(target=fork)
    forking.start()
    while not any(data_of(own_server).glob(".tmp*")):  # where it copies to
        assert forking.is_alive()
    own_server.kill()
    forking.join()
    assert [type(problem) for problem in problems] == [ProviderFailed]
    assert "`manage.py environments delete feature-x`" in str(problems[0])
    own_server.start()
    assert provider.get("feature-x").frozen.startswith("unfinished")
    provider.delete("feature-x")
    provider.fork("prod", "feature-x")
    assert query(own_server, "feature-x", "SELECT count(*) FROM big") == [(30_000,)]


def test_a_registry_that_was_half_made_is_completed(provider: Provider, server: Sqld) -> None:
    server.create("afn-environments")  # and the operator died before the table was made
    assert names(provider) == ["prod"]


# Two operators


def test_of_four_operators_one_gets_the_name(server: Sqld, tmp_path: Path) -> None:
    operators = [provider_of(server, tmp_path / "keys") for _ in range(4)]
    start = threading.Barrier(len(operators))
    outcomes: list[str] = []

    def create(provider: Provider) -> None:
        start.wait()
        try:
            outcomes.append(provider.create("feature-x").name)
        except NameTaken:
            outcomes.append("taken")

    threads = [threading.Thread(target=create, args=[provider]) for provider in operators]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["feature-x", "taken", "taken", "taken"]
    assert names(operators[0]) == ["feature-x", "prod"]


def test_a_name_that_is_deleted_while_it_is_being_made_leaves_nothing(
    provider: Provider, server: Sqld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = provider_of(server, tmp_path / "keys")
    work = provider._admin.fork

    def fork(source: str, name: str) -> None:
        another.delete(name)
        work(source, name)

    monkeypatch.setattr(provider._admin, "fork", fork)
    with pytest.raises(ProviderFailed, match="Another operator deleted"):
        provider.fork("prod", "feature-x")
    assert names(provider) == ["prod"]
    assert not holds(server, "feature-x")


# Tokens and secrets


def test_a_token_for_all_namespaces_is_used_as_it_is(provider: Provider, server: Sqld) -> None:
    provider.create("feature-x")
    token = provider.database("feature-x")["OPTIONS"]["auth_token"]
    assert token == provider.database("prod")["OPTIONS"]["auth_token"]
    assert "TURSO_AUTH_TOKEN" not in work_in(provider, provider.get("feature-x"))


def test_a_token_for_one_namespace_is_joined_by_others_that_the_key_signs(
    server: Sqld, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    bound = server.token(namespace="prod")
    without = provider_of(server, keys, token=bound)
    with pytest.raises(NotConfigured, match="AFN_TOKEN_KEYS"):
        without.list()
    keys.mkdir(mode=0o700)
    pem = server.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (keys / "signing.pem").write_bytes(pem)
    (keys / "signing.pem").chmod(0o600)
    provider = provider_of(server, keys, token=bound)
    fork = provider.fork("prod", "feature-x")
    assert provider.database("prod")["OPTIONS"]["auth_token"] == bound
    assert work_in(provider, fork).endswith("TURSO_AUTH_TOKEN from `manage.py environments token feature-x`.")
    entry = provider.database("feature-x")
    with opened(entry) as cursor:
        cursor.execute("INSERT INTO t VALUES (2)")
    elsewhere = {**entry, "NAME": server.name("prod")}
    with pytest.raises(errors.NamespaceNotFound), opened(elsewhere) as cursor:
        cursor.execute("SELECT 1")
    assert provider.dump("feature-x", tmp_path / "dump.sql")


def test_no_secret_shows(
    provider: Provider, server: Sqld, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    provider.create("feature-x")
    shown = [f"{environment!r} {environment.as_json()}" for environment in provider.list()]
    shown += [repr(provider.database("feature-x")), caplog.text]
    broken = [
        provider_of(server, tmp_path / "keys", admin_key="canary-wrong"),
        provider_of(server, tmp_path / "keys", token="canary.wrong.token"),
        provider_of(server, tmp_path / "keys", token=server.token(seconds=-600)),
    ]
    for other in broken:
        for use in (other.list, lambda other=other: other.create("feature-y")):
            try:
                use()
            except EnvironmentProblem as problem:
                shown.append(f"{problem!r} {problem.__cause__!r}")
    secrets = ["canary", server.token()[:20], provider.database("prod")["OPTIONS"]["auth_token"][:20]]
    assert len(shown) >= 7
    assert [secret for secret in secrets if any(secret in text for text in shown)] == []


def test_an_unreachable_server_is_said_with_the_setting(tmp_path: Path, server: Sqld) -> None:
    nobody = f"http://{HOST}:{free_port()}"
    with pytest.raises(ProviderFailed, match="AFN_SQLD_ADMIN_URL"):
        provider_of(server, tmp_path, admin_url=nobody).create("a")
    with pytest.raises(ProviderFailed, match="TURSO_DATABASE_URL"):
        provider_of(server, tmp_path, url=nobody).list()


# Dumps


def test_a_dump_recreates_the_environment(provider: Provider, server: Sqld, tmp_path: Path) -> None:
    query(server, "prod", "INSERT INTO t VALUES ('COMMIT;')")
    file = tmp_path / "prod.sql"
    file.write_text("an older one")
    assert provider.dump("prod", file) == file.stat().st_size
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["prod.sql"]
    server.admin("POST", "namespaces/restored/create", {"dump_url": f"file://{file}"})
    assert query(server, "restored", "SELECT x FROM t") == [(1,), ("COMMIT;",)]


def test_a_dump_with_a_full_text_table_and_triggers_recreates_the_environment(
    provider: Provider, server: Sqld, tmp_path: Path
) -> None:
    for sql in (
        "CREATE VIRTUAL TABLE words USING fts5(\n title, content='', contentless_delete=1,\n"
        " tokenize='porter unicode61'\n)",
        "CREATE TABLE log (x TEXT)",
        "CREATE TRIGGER keep BEFORE DELETE ON log\nWHEN old.x = 'kept' -- for ever; it's so\nBEGIN\n"
        " SELECT CASE WHEN 1 THEN 2 END;\n SELECT RAISE(ABORT, 'kept');\nEND",
        "INSERT INTO words (rowid, title) VALUES (1, 'running water')",
    ):
        query(server, "prod", sql)
    texts = ["INSERT INTO sqlite_schema(;\n-- it's\n", "a\r\n  b;\\n", "END;\n;", "'');", "日本語", "kept"]
    with closing(dbapi.connect(server.name("prod"), auth_token=new_token(server))) as connection:
        for text in texts:
            connection.execute("INSERT INTO log VALUES (?)", [text])
    provider.dump("prod", tmp_path / "prod.sql")
    server.admin("POST", "namespaces/restored/create", {"dump_url": f"file://{tmp_path}/prod.sql"})
    assert [x for (x,) in query(server, "restored", "SELECT x FROM log ORDER BY rowid")] == texts
    assert query(server, "restored", "SELECT rowid FROM words('run')") == [(1,)]
    assert query(server, "restored", "PRAGMA integrity_check") == [("ok",)]
    with pytest.raises(errors.DatabaseError, match="kept"):
        query(server, "restored", "DELETE FROM log WHERE x = 'kept'")


def test_a_dump_that_cannot_be_had_leaves_the_older_one(
    own_server: Sqld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = provider_of(own_server, tmp_path / "keys")
    file = tmp_path / "prod.sql"
    file.write_text("an older one")
    with pytest.raises(UnknownEnvironment):
        provider.dump("nope", file)
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        provider.dump("prod", tmp_path / "missing" / "prod.sql")
    monkeypatch.setattr(provider, "_finished", lambda name: own_server.kill())
    with pytest.raises(ProviderFailed, match="broke off"):
        provider.dump("prod", file)
    assert file.read_text() == "an older one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["company", "prod.sql"]


# Settings


def test_the_settings_lead_to_the_server(
    server: Sqld, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entry = {
        "ENGINE": "afn_project.libsql",
        "NAME": server.name("prod"),
        "OPTIONS": {"auth_token": server.token(), "timeout": 5.0},
    }
    monkeypatch.setitem(settings.DATABASES, "default", entry)
    settings.AFN_SQLD_ADMIN_URL = server.admin_url
    settings.AFN_SQLD_ADMIN_KEY = ADMIN_KEY
    settings.AFN_TOKEN_KEYS = tmp_path / "keys"
    provider = Provider.from_settings()
    assert provider.get("prod").is_current
    assert provider.database("prod") == entry


@pytest.mark.parametrize("name", ["var/afn.db", "http://localhost:1", ":memory:"])
def test_settings_without_a_namespace_are_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(settings.DATABASES, "default", {"NAME": name})
    with pytest.raises(NotConfigured, match="TURSO_DATABASE_URL"):
        Provider.from_settings()


def test_settings_without_the_admin_api_are_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.DATABASES, "default", {"NAME": "http://localhost:1?namespace=prod"})
    settings.AFN_SQLD_ADMIN_URL = None
    with pytest.raises(NotConfigured, match="AFN_SQLD_ADMIN_URL is not set"):
        Provider.from_settings()


def test_a_minted_token_is_used_again(server: Sqld, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    tokens.generate_keys(keys)
    provider = provider_of(server, keys, token=server.token(namespace="prod"))
    assert provider._entry("a") == provider._entry("a")
    assert provider._entry("a") != provider._entry("b")

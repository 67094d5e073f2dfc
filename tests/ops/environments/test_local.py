"""Environments that are files: consistent copies while others write, and what is refused."""

import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from pytest_django.plugin import DjangoDbBlocker

from afn_project.libsql import dbapi
from afn_project.libsql.errors import WritesBlocked
from ops.environments.base import (
    EnvironmentProblem,
    NameTaken,
    Protected,
    ProviderFailed,
    UnknownEnvironment,
    WrongName,
)
from ops.environments.local import Provider

KEY = "k" * 32
WRITE = """
import sys
from afn_project.libsql import dbapi
connection = dbapi.connect(sys.argv[1], timeout=20, encryption_key=sys.argv[2])
number = 0
while True:
    connection.execute("BEGIN IMMEDIATE")
    for _ in range(10):
        connection.execute("INSERT INTO t VALUES (?, randomblob(2000))", (number,))
        number += 1
    connection.execute("COMMIT")
    if number == 10:
        print("ready", flush=True)
"""
Make = Callable[..., Provider]


@pytest.fixture(autouse=True)
def real_databases(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(**changes: Any) -> Provider:
        options = {"encryption_key": changes.pop("key", "")}
        arguments = {
            "main": tmp_path / "afn.db",
            "main_name": "prod",
            "folder": tmp_path / "environments",
            "entry": {"ENGINE": "afn_project.libsql", "OPTIONS": options},
            "current": "prod",
            "protected": ["prod"],
        }
        return Provider(**arguments | changes)

    return make


@pytest.fixture
def provider(make: Make) -> Provider:
    """With a main environment of one table."""
    provider = make()
    with_table(provider._main)
    return provider


def with_table(path: Path, key: str = "") -> None:
    connection = dbapi.connect(str(path), encryption_key=key)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (x INTEGER, pad BLOB)")
    connection.close()


def rows(provider: Provider, name: str, key: str = "") -> int:
    connection = dbapi.connect(provider.database(name)["NAME"], encryption_key=key)
    try:
        ((number,),) = connection.execute("SELECT count(*) FROM t").fetchall()
    finally:
        connection.close()
    return int(number)


@pytest.fixture
def writing(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """Start a process that writes ten rows a transaction, without end."""
    processes = []

    def start(path: Path, key: str = "") -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITE, str(path), key], stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("key", ["", KEY])
def test_a_fork_under_writes_holds_whole_transactions(
    make: Make, writing: Callable[..., None], key: str
) -> None:
    provider = make(key=key)
    with_table(provider._main, key)
    writing(provider._main, key)
    seen = 0
    for number in range(5):
        provider.fork("prod", f"copy-{number}")
        count = rows(provider, f"copy-{number}", key)
        assert count % 10 == 0
        assert count >= seen
        seen = count
        connection = dbapi.connect(provider.database(f"copy-{number}")["NAME"], encryption_key=key)
        total = connection.execute("SELECT coalesce(sum(x), 0) FROM t").fetchone()
        assert total == (count * (count - 1) // 2,)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
    assert seen > 0
    if key:
        assert Path(provider.database("copy-0")["NAME"]).read_bytes()[:6] != b"SQLite"


def test_a_fork_is_apart_from_what_it_was_made_of(provider: Provider) -> None:
    made = provider.fork("prod", "feature-x")
    assert (made.parent, made.is_current, made.is_protected, made.frozen) == ("prod", False, False, "")
    assert made.created_at is not None
    assert made.size
    connection = dbapi.connect(provider.database("feature-x")["NAME"])
    connection.execute("INSERT INTO t VALUES (1, NULL)")
    connection.close()
    assert (rows(provider, "feature-x"), rows(provider, "prod")) == (1, 0)
    assert provider.fork("feature-x", "feature-y").parent == "feature-x"
    assert [one.name for one in provider.list()] == ["feature-x", "feature-y", "prod"]


def test_what_is_made_belongs_to_its_owner_alone(provider: Provider, tmp_path: Path) -> None:
    provider.fork("prod", "feature-x")
    provider.freeze("feature-x", "reason")
    provider.create("empty")
    folder = tmp_path / "environments"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_an_environment_can_be_made_empty(provider: Provider) -> None:
    assert provider.create("empty").parent == ""
    connection = dbapi.connect(provider.database("empty")["NAME"])
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize("name", ["", "..", "../x", "..%2f", "a/b", "A", "1a", "a" * 64, "a.b", "ä", "a\n"])
def test_a_name_that_could_lead_elsewhere_is_refused(provider: Provider, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.rglob("*"))
    for attempt in (
        lambda: provider.create(name),
        lambda: provider.fork("prod", name),
        lambda: provider.fork(name, "feature-x"),
        lambda: provider.delete(name),
        lambda: provider.freeze(name, "reason"),
        lambda: provider.database(name),
    ):
        with pytest.raises(WrongName, match="lower-case letters"):
            attempt()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_name_is_given_once(provider: Provider) -> None:
    provider.fork("prod", "feature-x")
    for attempt in (provider.create, lambda name: provider.fork("prod", name)):
        with pytest.raises(NameTaken):
            attempt("feature-x")
    with pytest.raises(NameTaken):
        provider.fork("prod", "prod")


def test_the_current_and_protected_ones_stay(make: Make, provider: Provider) -> None:
    provider.fork("prod", "feature-x")
    with pytest.raises(Protected, match="works on"):
        provider.delete("prod")
    with pytest.raises(Protected, match="works on"):
        make(current="feature-x").delete("feature-x")
    with pytest.raises(Protected, match="AFN_PROTECTED_ENVIRONMENTS"):
        make(current="feature-x").delete("prod")
    with pytest.raises(UnknownEnvironment, match="There are: feature-x, prod"):
        provider.delete("feature-y")


def test_a_deleted_one_leaves_nothing(provider: Provider, tmp_path: Path) -> None:
    provider.fork("prod", "feature-x")
    provider.freeze("feature-x", "reason")
    provider.delete("feature-x")
    assert [path.name for path in (tmp_path / "environments").iterdir()] == [".lock"]


def test_one_that_is_in_use_is_not_deleted(
    provider: Provider, writing: Callable[..., None], tmp_path: Path
) -> None:
    provider.fork("prod", "feature-x")
    writing(Path(provider.database("feature-x")["NAME"]))
    with pytest.raises(EnvironmentProblem, match="in use by another process"):
        provider.delete("feature-x")
    assert rows(provider, "feature-x") >= 0


def test_a_frozen_one_is_read_and_tells_its_reason(provider: Provider) -> None:
    provider.fork("prod", "feature-x")
    assert provider.freeze("feature-x", "  under   review 確認中 ").frozen == "under review 確認中"
    connection = dbapi.connect(provider.database("feature-x")["NAME"])
    with pytest.raises(WritesBlocked) as caught:
        connection.execute("INSERT INTO t VALUES (1, NULL)")
    assert caught.value.reason == "under review 確認中"
    assert rows(provider, "feature-x") == 0
    assert provider.fork("feature-x", "feature-y").frozen == ""
    assert provider.unfreeze("feature-x").frozen == ""
    connection.execute("INSERT INTO t VALUES (1, NULL)")
    connection.close()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "a\0b", "\x1b[31m"])
def test_a_reason_that_users_could_not_read_is_refused(provider: Provider, reason: str) -> None:
    with pytest.raises(EnvironmentProblem, match="reason: expected"):
        provider.freeze("prod", reason)
    assert provider.get("prod").frozen == ""


def test_links_and_files_of_other_names_are_no_environments(provider: Provider, tmp_path: Path) -> None:
    provider.fork("prod", "feature-x")
    folder = tmp_path / "environments"
    (folder / "link.db").symlink_to(tmp_path / "afn.db")
    (folder / "UPPER.db").touch()
    (folder / ".new-0.db").touch()
    (folder / "folder.db").mkdir()
    assert [one.name for one in provider.list()] == ["feature-x", "prod"]


def test_what_an_interrupted_copy_left_is_removed_by_the_next(provider: Provider, tmp_path: Path) -> None:
    provider.create("first")
    left = tmp_path / "environments" / ".new-00.db"
    left.touch()
    provider.fork("prod", "feature-x")
    assert not left.exists()


def test_without_room_nothing_is_made(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(settings.BASE_DIR)._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(ProviderFailed, match="1,000 are free"):
        provider.fork("prod", "feature-x")
    assert [one.name for one in provider.list()] == ["prod"]


def test_what_is_no_database_is_not_copied(provider: Provider) -> None:
    provider._main.write_bytes(b"no database" * 1000)
    with pytest.raises(ProviderFailed, match=r"afn\.db cannot be copied"):
        provider.fork("prod", "feature-x")
    assert [one.name for one in provider.list()] == ["prod"]


@pytest.mark.parametrize("key", ["", KEY])
def test_a_capture_is_a_file_of_one_moment(make: Make, tmp_path: Path, key: str) -> None:
    provider = make(key=key)
    with_table(provider._main, key)
    connection = dbapi.connect(str(provider._main), encryption_key=key)
    connection.execute("INSERT INTO t VALUES (7, NULL)")
    file = tmp_path / "captured.db"
    provider.capture("prod", file)
    connection.execute("DELETE FROM t WHERE 1")
    connection.close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not list(tmp_path.glob("captured.db-*"))
    assert [one.name for one in provider.list()] == ["prod"]
    assert rows(provider, "prod", key) == 0
    provider.load("again", file)
    assert rows(provider, "again", key) == 1


def test_a_disk_that_refuses_is_said_and_changes_nothing(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.fork("prod", "feature-x")
    provider.freeze("feature-x", "reason")

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        for attempt in (provider.delete, provider.unfreeze):
            with pytest.raises(ProviderFailed, match="cannot be deleted: Permission denied"):
                attempt("feature-x")
    assert provider.get("feature-x").frozen == "reason"
    assert rows(provider, "feature-x") == 0


def test_of_two_that_delete_it_one_is_told_that_it_is_gone(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.fork("prod", "feature-x")
    check = provider.check_deletion

    def check_too_early(name: str) -> None:
        check(name)
        monkeypatch.undo()
        provider.delete(name)

    monkeypatch.setattr(provider, "check_deletion", check_too_early)
    with pytest.raises(UnknownEnvironment, match="There are: prod"):
        provider.delete("feature-x")

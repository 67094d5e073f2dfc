"""Rehearsed migrations on real environments: what is found, and that the live database stays as it is."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from django.apps import apps
from django.db import connections
from django.db.utils import ConnectionHandler
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from afn_project.libsql import dbapi
from ops import rehearsal
from ops.backups.restoring import restore_into
from ops.environments import temporary
from ops.environments.turso import Provider as TursoProvider
from ops.environments.turso_api import Api
from tests.ops.environments.turso_server import API_TOKEN, ORGANIZATION, turso
from tests.processes import MANAGE, clean_environment, manage
from tests.sqld import ADMIN_KEY, Sqld, company_sqld

Rehearse = Callable[..., CompletedProcess[str]]
# Adds authors until its input ends, then tells how many.
WRITE = """
import sys, threading
from afn_project.libsql import dbapi
name, token = sys.argv[1:]
connection = dbapi.connect(name, timeout=20, **({"auth_token": token} if token else {}))
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
number = 0
while not ended.is_set():
    connection.execute("INSERT INTO library_authors (name) VALUES ('writer')")
    number += 1
    if number == 1:
        print("ready", flush=True)
print(number)
"""


@pytest.fixture(scope="module", params=["sqld", "local"])
def variables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A database with the samples and the library as it was, on a server or in a file."""
    folder = tmp_path_factory.mktemp(request.param)
    common = {
        "DJANGO_SETTINGS_MODULE": "tests.ops.rehearsal.settings",
        "ENVIRONMENT": "development",
        "AFN_DATABASE_FILE": str(folder / "afn.db"),
        "AFN_ENVIRONMENTS_DIR": str(folder / "environments"),
        "AFN_BACKUPS_DIR": str(folder / "backups"),
    }
    if request.param == "local":
        prepare(common)
        yield common
        return
    with company_sqld(folder / "company") as server:
        request.getfixturevalue("servers").append(server)
        server_variables = {
            "TURSO_DATABASE_URL": server.create("dev"),
            "TURSO_AUTH_TOKEN": server.token(),
            "AFN_SQLD_ADMIN_URL": server.admin_url,
            "AFN_SQLD_ADMIN_KEY": ADMIN_KEY,
        }
        prepare(common | server_variables)
        yield common | server_variables


@pytest.fixture(scope="module")
def servers() -> list[Sqld]:
    """The server of ``variables``; none where it is a file."""
    return []


def prepare(variables: dict[str, str]) -> None:
    for command in ("init_db", "seed_data"):
        done = manage(command, LIBRARY="base", **variables)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def rehearse(variables: dict[str, str]) -> Rehearse:
    def run(library: str, *options: str) -> CompletedProcess[str]:
        return manage("rehearse_migrations", *options, LIBRARY=library, **variables)

    return run


@pytest.fixture
def live(variables: dict[str, str]) -> Iterator[dbapi.Connection]:
    """The live database."""
    with closing(connect(variables)) as connection:
        yield connection


def connect(variables: dict[str, str]) -> dbapi.Connection:
    name, token = address(variables)
    return dbapi.connect(name, auth_token=token) if token else dbapi.connect(name)


def address(variables: dict[str, str]) -> tuple[str, str]:
    """The live database's name for the driver, and its token."""
    if url := variables.get("TURSO_DATABASE_URL"):
        return url, variables["TURSO_AUTH_TOKEN"]
    return variables["AFN_DATABASE_FILE"], ""


@contextmanager
def writing(variables: dict[str, str]) -> Iterator[list[int]]:
    """A process adds authors to the live database; in the end the list has their number."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, *address(variables)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    written: list[int] = []
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield written
        written.append(int(process.communicate(timeout=30)[0]))
    finally:
        process.kill()
        process.communicate()


@contextmanager
def waiting(variables: dict[str, str], marker: Path) -> Iterator[subprocess.Popen[str]]:
    """A rehearsal in the middle of a migration without an end."""
    process = subprocess.Popen(
        [*MANAGE, "rehearse_migrations", "--apply"],
        env=clean_environment(SECRET_KEY="k" * 50, LIBRARY="slow", LIBRARY_WAITS=str(marker), **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        end = time.monotonic() + 60
        while not marker.exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
        yield process
    finally:
        process.kill()
        process.communicate()


def state(live: dbapi.Connection) -> Any:
    tables = ("library_books", "library_authors", "prompts", "django_migrations")
    return [live.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables]


def environments(variables: dict[str, str]) -> list[str]:
    listed = manage("environments", "list", "--json", LIBRARY="base", **variables)
    return [environment["name"] for environment in json.loads(listed.stdout)]


def report(done: CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_without_pending_migrations_there_is_nothing_to_do(rehearse: Rehearse) -> None:
    done = rehearse("base")
    assert (done.returncode, done.stdout) == (0, "No migrations are pending.\n")


def test_what_loses_nothing_passes_and_the_live_database_stays(
    rehearse: Rehearse, live: dbapi.Connection, variables: dict[str, str]
) -> None:
    before = state(live)
    done = rehearse("good", "--json")
    found = report(done)
    assert (done.returncode, done.stderr) == (0, "")
    assert found["pending"] == ["library.0002_rename_and_add"]
    assert found["passed"] is True
    assert found["applied"] is False
    assert found["probes_kept"] == found["probes"] > 5
    assert 0 < found["longest_lock_seconds"] <= found["lock_seconds"] <= found["seconds"]
    books = {table["name"]: table for table in found["tables"]}["library_books"]
    assert (books["rows_before"], books["rows_after"], books["changed"]) == (12, 12, [])
    assert state(live) == before
    assert environments(variables) == ["dev"]


@pytest.mark.parametrize(
    ("library", "problem"),
    [
        ("lossy", "library_books: 1 of 12 rows are gone"),
        ("stranger", "prompts: changed (title), though no pending migration is of its app"),
        ("broken", "library.0002_orphan failed: OperationalError: no such function: no_such_function"),
        ("orphans", "library.0002_add_an_orphan failed: IntegrityError"),
        ("wordless", "Collection prompts: the keyword search for "),
        ("unreadable", "What the migrations made cannot be read: "),
    ],
)
def test_what_is_lost_changed_or_broken_fails_and_is_never_applied(
    rehearse: Rehearse, live: dbapi.Connection, variables: dict[str, str], library: str, problem: str
) -> None:
    before = state(live)
    # As text where it is a server, as JSON where it is a file: each run takes seconds.
    as_text = "TURSO_DATABASE_URL" in variables
    done = rehearse(library, "--apply", *([] if as_text else ["--json"]))
    assert done.returncode == 1
    if as_text:
        assert f"Problem: {problem}" in done.stdout
    else:
        found = report(done)
        assert [text for text in found["problems"] if text.startswith(problem)], found["problems"]
        assert (found["passed"], found["applied"], found["backup"]) == (False, False, "")
    assert state(live) == before
    assert not Path(variables["AFN_BACKUPS_DIR"]).exists()
    assert environments(variables) == ["dev"]


def test_a_loss_that_is_announced_passes(rehearse: Rehearse) -> None:
    done = rehearse("lossy", "--expect", "library_books")
    assert done.returncode == 0
    assert "library_books: 12 → 11 rows" in done.stdout
    assert "library_authors: 3 → 3 rows, values changed: name" in done.stdout


def test_a_rehearsal_that_is_killed_leaves_a_fork_that_the_next_one_deletes(
    rehearse: Rehearse, live: dbapi.Connection, variables: dict[str, str], tmp_path: Path
) -> None:
    before = state(live)
    with waiting(variables, tmp_path / "marker") as process:
        fork = environments(variables)[-1]
        assert fork.startswith("rehearsal-")
        assert rehearse("base").returncode == 0
        assert environments(variables) == ["dev", fork]  # it is in use
        process.kill()
        process.wait()
        assert environments(variables) == ["dev", fork]
        done = rehearse("base")
    assert (done.returncode, done.stdout) == (0, "No migrations are pending.\n")
    assert f"Deleting {fork}, which a killed rehearsal left …" in done.stderr
    assert environments(variables) == ["dev"]
    assert state(live) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_rehearsal_that_is_interrupted_deletes_its_fork(
    live: dbapi.Connection, variables: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    before = state(live)
    with waiting(variables, tmp_path / "marker") as process:
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.endswith("CommandError: Interrupted. The live database is as it was.\n")
    assert environments(variables) == ["dev"]
    assert state(live) == before


def test_a_database_that_changed_during_the_rehearsal_is_not_migrated(
    rehearse: Rehearse, live: dbapi.Connection, variables: dict[str, str]
) -> None:
    before = state(live)
    done = rehearse("meddling", "--apply")
    live.execute("SELECT * FROM library_authors")  # it reads the schema again only where a statement runs
    live.execute("ALTER TABLE library_authors DROP COLUMN sneaked")
    assert done.returncode == 1
    assert "since it was forked (table library_authors): nothing was applied. Rehearse again." in done.stderr
    assert state(live) == before
    assert not Path(variables["AFN_BACKUPS_DIR"]).exists()
    assert environments(variables) == ["dev"]


def test_a_frozen_database_is_rehearsed_and_not_migrated(
    rehearse: Rehearse, live: dbapi.Connection, variables: dict[str, str]
) -> None:
    def change(*arguments: str) -> None:
        assert manage("environments", *arguments, LIBRARY="base", **variables).returncode == 0

    before = state(live)
    change("freeze", "dev", "moving")
    done = rehearse("good", "--apply")
    change("unfreeze", "dev")
    assert done.returncode == 1
    assert "dev is frozen (moving): nothing was applied. Run `manage.py environments unfreeze" in done.stderr
    assert state(live) == before


def test_applied_it_runs_on_the_live_database_after_a_backup_that_can_be_restored(
    rehearse: Rehearse, live: dbapi.Connection, variables: dict[str, str], tmp_path: Path
) -> None:
    live.execute("INSERT INTO library_books (title, author_id) VALUES ('The last', 1)")
    with writing(variables) as written:
        done = rehearse("good", "--apply", "--json")
    found = report(done)
    assert (done.returncode, found["applied"], found["problems"]) == (0, True, [])
    assert live.execute("SELECT count(*) FROM library_authors WHERE name = 'writer'").fetchone() == (
        written[0],
    )
    backup = Path(found["backup"])
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert live.execute("SELECT count(*), sum(pages) FROM library_books").fetchone() == (13, 0)
    assert rehearse("good").stdout == "No migrations are pending.\n"
    there = restored_to(tmp_path / "restored.db", backup, variables)
    with closing(connect(there)) as restored:
        last = "SELECT title FROM library_books ORDER BY id DESC"
        assert restored.execute(last).fetchone() == ("The last",)
        assert restored.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        prompts = "SELECT id, name, content FROM prompts ORDER BY id"
        assert restored.execute(prompts).fetchall() == live.execute(prompts).fetchall()
    found = manage("search", "cover letter", "--mode", "keyword", LIBRARY="base", **there)
    assert "writing/cover-letter" in found.stdout, found.stderr


def restored_to(file: Path, backup: Path, variables: dict[str, str]) -> dict[str, str]:
    """Variables of a site that works on what a backup holds."""
    done = manage("restore_database", str(backup), "--into", str(file), LIBRARY="base", **variables)
    assert done.returncode == 0, done.stderr
    here = {name: value for name, value in variables.items() if not name.startswith(("TURSO", "AFN_SQLD"))}
    return here | {"AFN_DATABASE_FILE": str(file)}


def test_an_encrypted_file_is_rehearsed_migrated_and_restored(tmp_path: Path) -> None:
    key = "k" * 32
    variables = {
        "DJANGO_SETTINGS_MODULE": "tests.ops.rehearsal.settings",
        "ENVIRONMENT": "development",
        "AFN_DATABASE_FILE": str(tmp_path / "afn.db"),
        "AFN_DATABASE_KEY": key,
        "AFN_ENVIRONMENTS_DIR": str(tmp_path / "environments"),
        "AFN_BACKUPS_DIR": str(tmp_path / "backups"),
    }
    assert manage("init_db", LIBRARY="base", **variables).returncode == 0
    found = report(manage("rehearse_migrations", "--apply", "--json", LIBRARY="good", **variables))
    assert (found["applied"], found["problems"]) == (True, [])
    assert environments(variables) == ["dev"]
    backup = Path(found["backup"])
    there = restored_to(tmp_path / "restored.db", backup, variables)
    assert b"library" not in Path(there["AFN_DATABASE_FILE"]).read_bytes()
    with closing(dbapi.connect(there["AFN_DATABASE_FILE"], encryption_key=key)) as restored:
        first = "SELECT title FROM library_books ORDER BY id"
        assert restored.execute(first).fetchone() == ("Volume 0",)


def test_at_turso_too(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
    settings: Settings,
) -> None:
    pending = rehearsal.pending_migrations
    # Some are enough, for each statement of them is a request.
    settings.MIGRATION_MODULES = {
        app.label: None
        for app in apps.get_app_configs()
        if app.label not in ("auth", "contenttypes", "vectors")
    }
    with company_sqld(tmp_path / "turso") as sqld, turso(sqld) as server, django_db_blocker.unblock():
        host = server.add("prod")["Hostname"]
        api = Api(url=server.url, organization=ORGANIZATION, token=API_TOKEN)
        provider = TursoProvider(api, group="default", current="prod", host=host)
        live = ConnectionHandler({"default": {}, "live": provider.database("prod")})["live"]
        connections["live"] = live
        monkeypatch.setattr(rehearsal, "DEFAULT_DB_ALIAS", "live")
        monkeypatch.setattr(rehearsal, "pending_migrations", lambda: pending("live"))
        try:
            with live.cursor() as cursor:
                cursor.execute("CREATE TABLE t (x)")
                cursor.execute("INSERT INTO t VALUES (1)")
            found = rehearsal.rehearse(provider)
            assert len(found.pending) > 10
            assert (found.problems, [one.name for one in provider.list()]) == ([], ["prod"])
            rehearsal.apply(provider, found)
            assert (found.applied, found.problems) == (True, [])
            names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            restore_into(provider, Path(found.backup), tmp_path / "restored.db")
            with closing(dbapi.connect(str(tmp_path / "restored.db"))) as restored:
                assert restored.execute(names).fetchall() == [("t",)]
                assert restored.execute("SELECT x FROM t").fetchall() == [(1,)]
            with live.cursor() as cursor:
                assert ("vector_collections",) in cursor.execute(names).fetchall()
        finally:
            live.close()
            del connections["live"]


@pytest.mark.parametrize(
    ("name", "is_left"),
    [
        ("rehearsal-20260102030405-{here}-{me}-0a1b", True),  # a number that was used before
        ("rehearsal-20260102030405-{here}-1-0a1b", False),  # somebody is at work
        ("rehearsal-20260102030405-ffffff-{me}-0a1b", False),  # nobody knows
        ("rehearsal-20260101230405-ffffff-{me}-0a1b", True),  # too old
        ("rehearsal-20260101230405-{here}-1-0a1b", True),
        ("rehearsal-20261399999999-ffffff-1-0a1b", False),
        ("rehearsal-of-mine", False),
        ("prod", False),
    ],
)
def test_which_forks_are_left(name: str, is_left: bool) -> None:
    now = datetime(2026, 1, 2, 3, 5, tzinfo=UTC)
    here = temporary._machine()
    assert temporary._is_left(name.format(here=here, me=f"{os.getpid():x}"), "rehearsal", now) is is_left

"""Rehearsed migrations on real environments: what is found, and that the live database stays as it is."""

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from afn_project.libsql import dbapi
from tests.processes import manage
from tests.sqld import ADMIN_KEY, company_sqld

Rehearse = Callable[..., CompletedProcess[str]]


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
        server_variables = {
            "TURSO_DATABASE_URL": server.create("dev"),
            "TURSO_AUTH_TOKEN": server.token(),
            "AFN_SQLD_ADMIN_URL": server.admin_url,
            "AFN_SQLD_ADMIN_KEY": ADMIN_KEY,
        }
        prepare(common | server_variables)
        yield common | server_variables


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
    if url := variables.get("TURSO_DATABASE_URL"):
        connection = dbapi.connect(url, auth_token=variables["TURSO_AUTH_TOKEN"])
    else:
        connection = dbapi.connect(variables["AFN_DATABASE_FILE"])
    yield connection
    connection.close()


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
    ],
)
def test_what_is_lost_changed_or_broken_fails_and_is_never_applied(
    rehearse: Rehearse, live: dbapi.Connection, variables: dict[str, str], library: str, problem: str
) -> None:
    before = state(live)
    done = rehearse(library, "--apply", "--json")
    found = report(done)
    assert done.returncode == 1
    assert [text for text in found["problems"] if text.startswith(problem)], found["problems"]
    assert (found["passed"], found["applied"], found["backup"]) == (False, False, "")
    assert state(live) == before
    assert environments(variables) == ["dev"]
    assert f"Problem: {problem}" in rehearse(library).stdout


def test_a_loss_that_is_announced_passes(rehearse: Rehearse) -> None:
    done = rehearse("lossy", "--expect", "library_books")
    assert done.returncode == 0
    assert "library_books: 12 → 11 rows" in done.stdout
    assert "library_authors: 3 → 3 rows, values changed: name" in done.stdout


def test_applied_it_runs_on_the_live_database_after_a_backup(
    rehearse: Rehearse, live: dbapi.Connection
) -> None:
    done = rehearse("good", "--apply", "--json")
    found = report(done)
    assert (done.returncode, found["applied"]) == (0, True)
    backup = Path(found["backup"])
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    content = backup.read_bytes()
    assert b"library_books" in content
    assert b"pages" not in content
    assert live.execute("SELECT count(*), sum(pages) FROM library_books").fetchone() == (12, 0)
    assert rehearse("good").stdout == "No migrations are pending.\n"

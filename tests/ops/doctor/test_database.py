"""What is found at the database itself: whether it is there, whole, and as it should be."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connections

from ops.doctor.areas import drift, pragmas
from ops.doctor.examining import Case
from ops.doctor.reading import read_only
from ops.doctor.running import examine
from ops.environments.local import Provider
from ops.environments.local_swap import SWAPPING
from tests.ops.backups.conftest import at

from .conftest import Look, levels


@contextmanager
def changing(file: Path) -> Iterator[object]:
    """SQL past AFN, by its own engine."""
    with at(file) as alias, connections[alias].cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys = OFF")
        yield cursor


def test_a_file_that_is_not_there_is_said_and_not_made(case: Case, file: Path) -> None:
    file.unlink()
    report = examine(case, only=["schema", "vectors"])
    [missing, left_out] = report.findings
    assert (missing.status, missing.area) == ("problem", "database")
    assert "init_db" in missing.remedy
    assert "schema: drift" in left_out.found
    assert "vectors: collections" in left_out.found
    assert not file.exists()


def test_reading_makes_no_file(case: Case, file: Path) -> None:
    file.unlink()
    with pytest.raises(OperationalError, match="there is no"), read_only(case.entry):
        connections["default"].ensure_connection()
    assert not file.exists()


@pytest.mark.parametrize("content", [b"no database" * 1_000, b""])
def test_what_is_no_database_is_said(look: Look, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    found = look("database", "connection")
    if content:
        assert found["connection"].status == "problem"
        assert "restore_database" in found["connection"].remedy
    else:  # an empty file is an empty database
        found = look("schema", "migrations")
        assert levels(found) == {"empty database": "problem"}
        assert (
            "restore_database" in found["empty database"].remedy
        )  # before `init_db`: it may be what is left
    assert file.read_bytes() == content


def test_nothing_can_be_written_by_an_examination(case: Case, file: Path) -> None:
    before = file.read_bytes()
    with read_only(case.entry):
        for sql in (
            "DELETE FROM prompts",
            "WITH a AS (SELECT 1) DELETE FROM prompts",
            "/* SELECT */ UPDATE prompts SET title = ''",
            "PRAGMA user_version = 7",
        ):
            with (
                pytest.raises(OperationalError, match="only reads"),
                connections["default"].cursor() as cursor,
            ):
                cursor.execute(sql)
        connections["default"].ensure_connection()
        with pytest.raises(Exception, match="readonly"):  # past Django's cursor
            connections["default"].connection.execute("DELETE FROM prompts")
    assert file.read_bytes() == before


def test_a_frozen_database_says_who_lets_it_go(place: Provider, look: Look) -> None:
    place.freeze("live", "moving until five")
    found = look("database", "connection")["writing"]
    assert (found.status, found.found) == ("warning", "frozen: moving until five")
    assert "environments unfreeze live" in found.remedy


def test_a_restore_that_died_is_told_from_one_at_work(file: Path, look: Look) -> None:
    notice = Path(f"{file}.frozen")
    notice.write_text(SWAPPING)
    assert levels(look("database", "leftovers")) == {"restore": "warning"}
    os.utime(notice, (time.time() - 900,) * 2)
    found = look("database", "leftovers")["restore"]
    assert found.status == "problem"
    assert "15 minutes" in found.found
    assert "environments unfreeze live" in found.remedy


def test_files_of_those_that_died_are_found_when_they_are_old(
    place: Provider, file: Path, look: Look, case: Case
) -> None:
    backups = file.parent / "backups"
    (backups / ".staging-abc").mkdir()
    (file.parent / "environments" / ".new-0001.db").touch()
    dead = file.parent / f".{file.name}.restored-{2**22 + 1}"
    alive = file.parent / f".{file.name}.restored-{os.getpid()}"
    dead.touch()
    alive.touch()
    assert str(dead) in look("database", "leftovers")["unfinished files"].remedy
    found = look("database", "leftovers", now=case.now + timedelta(hours=2))["unfinished files"]
    assert found.status == "warning"
    for path in (backups / ".staging-abc", file.parent / "environments" / ".new-0001.db", dead):
        assert str(path) in found.remedy
    assert str(alive) not in found.remedy


def test_what_was_kept_at_a_restore_is_found_after_two_weeks(place: Provider, look: Look, case: Case) -> None:
    name = f"before-restore-{case.now:%Y%m%d%H%M%S}-00ff"
    place.fork("live", name)
    assert levels(look("database", "leftovers")) == {}
    found = look("database", "leftovers", now=case.now + timedelta(days=15))["kept environments"]
    assert found.status == "warning"
    assert found.remedy == f"manage.py environments delete {name}"


def test_another_mode_of_the_journal_is_found_and_left(file: Path, look: Look) -> None:
    with changing(file) as cursor:
        cursor.execute("PRAGMA journal_mode = DELETE")
    before = file.read_bytes()
    found = look("database", "pragmas")["journal_mode"]
    assert (found.status, found.found) == ("problem", "delete; AFN sets WAL")
    assert "manage.py health" in found.remedy
    assert file.read_bytes() == before


def test_a_network_disk_is_a_problem(look: Look, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    assert pragmas.file_system(file)
    monkeypatch.setattr(pragmas, "file_system", lambda path: "nfs4")
    assert "TURSO_DATABASE_URL" in look("database", "pragmas")["file system"].remedy


def test_references_that_lead_nowhere_are_counted(file: Path, look: Look) -> None:
    with changing(file) as cursor:
        cursor.execute("UPDATE prompts SET user_id = 'gone'")
    found = look("data", "references")["references"]
    assert found.status == "problem"
    assert found.found.startswith("prompts: 4 rows refer to a missing row of users")
    assert "restore_database" in found.remedy


@pytest.mark.parametrize("deep", [False, True])
def test_a_damaged_page_is_found(file: Path, look: Look, *, deep: bool) -> None:
    with changing(file) as cursor:
        cursor.execute("SELECT rootpage FROM sqlite_master WHERE name = 'jobs'")
        (page,) = cursor.fetchone()
        cursor.execute("PRAGMA page_size")
        (size,) = cursor.fetchone()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\xff" * size)
    found = look("data", "pages", deep=deep)["pages"]
    assert found.status == "problem"
    assert "restore_database" in found.remedy


def test_what_differs_from_the_migrations_is_found_with_the_sql_that_mends_it(file: Path, look: Look) -> None:
    with changing(file) as cursor:
        cursor.execute("DROP INDEX jobs_newest")
        cursor.execute("DROP TRIGGER ops_audit_entries_kept")
        cursor.execute("DROP VIEW prompt_embeddings")
        cursor.execute("DROP TABLE slow_queries")
        cursor.execute("CREATE TABLE somebodys (id INTEGER)")
        cursor.execute("ALTER TABLE webhooks ADD COLUMN somebodys TEXT")
    found = look("schema", "drift")
    assert levels(found) == {
        "missing index": "problem",
        "missing trigger": "problem",
        "missing view": "problem",
        "missing table": "problem",
        "extra table": "warning",
        "changed table": "problem",
    }
    assert found["missing index"].found == "jobs_newest"
    assert 'CREATE INDEX "jobs_newest" ON "jobs"' in found["missing index"].remedy
    assert "CREATE TRIGGER ops_audit_entries_kept" in found["missing trigger"].remedy
    assert "list_backups" in found["missing table"].remedy
    assert found["changed table"].found.startswith("webhooks is not")
    assert "DROP TABLE" in found["extra table"].remedy


def test_the_command_that_mends_is_one_that_a_shell_takes_as_it_is() -> None:
    command = drift.run_sql("CREATE INDEX \"a\" ON \"t\" (x)\n  WHERE y = 'it''s'")
    assert command.startswith("manage.py shell -c '")
    assert "\n" not in command


def test_migrations_that_are_missing_on_either_side_are_found(file: Path, look: Look) -> None:
    with changing(file) as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('ops', '9999_from_the_future', "
            "'2030-01-01')"
        )
    found = look("schema", "migrations")
    assert levels(found) == {"pending migrations": "problem", "unknown migrations": "problem"}
    assert "rehearse_migrations --apply" in found["pending migrations"].remedy
    assert found["unknown migrations"].found == "ops.9999_from_the_future"
    assert levels(look("schema", "drift")) == {"schema": "warning"}

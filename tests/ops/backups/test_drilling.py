"""A drill proves a backup, or says what is wrong with it; either way it leaves nothing but its result."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections

from ops.backups.catalogue import newest
from ops.backups.drilling import drill, last_proved
from ops.backups.errors import BackupProblem, NotProved
from ops.backups.making import Backup
from ops.backups.models import BackupDrill
from ops.backups.restoring import restore
from ops.environments.local import Provider
from tests.ops.backups.conftest import at
from tests.ops.backups.crafting import rewrite

Make = Callable[[], Backup]


def test_a_sound_backup_is_proved(place: Provider, make: Make, tmp_path: Path) -> None:
    made = make()
    found = drill(place, newest(place.current))
    assert found.ok
    assert set(found.as_json()) >= {"ok", "counts", "hashes", "probes", "seconds"}
    assert found.proof.counts == found.proof.hashes == len(made.tables)
    assert found.proof.probes == made.probes > 0
    assert {one.name for one in place.list()} == {"live"}
    assert [path.name for path in made.path.parent.iterdir()] == [made.path.name]
    kept = BackupDrill.objects.get()
    assert (kept.ok, kept.backup, kept.sha256) == (True, made.path.name, made.sha256)
    assert last_proved() == kept


def spoil(sql: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with sqlite3.connect(file) as connection:
            connection.execute(sql)
        connection.close()

    return change


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("UPDATE prompts SET title = title || '.' WHERE name = 'mail/reply'", "prompts"),
        ("DELETE FROM prompt_versions WHERE version = 1", "prompt_versions"),
        ("UPDATE vec_1_vectors SET embedding = zeroblob(length(embedding)) WHERE id = 1", "vec_1_vectors"),
        ("DROP INDEX prompts_name_is_unique", "definitions"),
        ("DELETE FROM vec_1_fts_data WHERE id > 10", "keyword search"),
    ],
    ids=["a value", "rows", "a vector", "an index", "the full text"],
)
def test_what_is_not_as_it_was_is_found(place: Provider, make: Make, sql: str, text: str) -> None:
    """The manifest says one thing, and the database in the same backup another."""
    made = make()
    before = last_proved()
    rewrite(made.path, database=spoil(sql))
    found = drill(place, made.path)
    assert not found.ok
    assert any(text in problem for problem in found.proof.problems), found.proof.problems
    assert not BackupDrill.objects.get().ok
    assert last_proved() == before
    assert {one.name for one in place.list()} == {"live"}


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("trap", """"WriteFile"('{canary}', 'x')"""),
        ("libsql_trap", "sha3_query('SELECT wri' || 'tefile(''{canary}'', ''x'')') IS NOT NULL"),
    ],
    ids=["by its name", "in a text that is run"],
)
def test_what_would_write_a_file_when_it_is_checked_is_not_checked(
    place: Provider, make: Make, tmp_path: Path, name: str, check: str
) -> None:
    """A constraint may call what libSQL has for files, and checking a database evaluates it."""
    made, canary = make(), tmp_path / "canary"
    sql = f"CREATE TABLE {name} (a CHECK ({check.format(canary=canary)}))"

    def trap(file: Path) -> None:
        with at(file) as alias, connections[alias].cursor() as cursor:
            cursor.execute(sql)
            cursor.execute(f"INSERT INTO {name} VALUES (1)")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.fetchall()

    rewrite(made.path, database=trap)
    assert canary.exists()  # it works
    canary.unlink()
    found = drill(place, made.path)
    assert found.proof.problems == [f"table {name} calls a function that is for files, or runs SQL"]
    with pytest.raises(NotProved):
        restore(place, made.path)
    assert not canary.exists()


def test_what_a_terminal_would_obey_is_not_printed(place: Provider, make: Make) -> None:
    made = make()
    rewrite(made.path, held=lambda one: one["tables"].update({"\x1b[2J": {"rows": 1, "hash": "0"}}))
    assert "?[2J: the table is missing" in drill(place, made.path).proof.problems


def test_a_damaged_one_is_a_drill_that_failed(place: Provider, make: Make) -> None:
    made = make()
    content = bytearray(made.path.read_bytes())
    content[len(content) // 2] ^= 1
    made.path.write_bytes(content)
    found = drill(place, made.path)
    assert not found.ok
    assert "not as it was written" in found.proof.problems[0]
    assert not BackupDrill.objects.get().ok


def test_without_a_backup_there_is_nothing_to_prove(place: Provider) -> None:
    with pytest.raises(BackupProblem, match="backup_database"):
        newest(place.current)

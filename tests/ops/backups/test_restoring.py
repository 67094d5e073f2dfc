"""A restore verifies first, then swaps, and keeps what was there; what does not fit is refused untouched."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from afn_project.libsql.errors import FileReplaced
from ops.backups.errors import BackupProblem, DamagedBackup, NotProved, Unsuitable, WrongKey
from ops.backups.making import Backup, back_up
from ops.backups.restoring import restore, restore_into
from ops.environments.base import EnvironmentProblem
from ops.environments.local import Provider
from prompts.models import Prompt
from prompts.serving import epoch
from tests.ops.backups.conftest import TEXTS, at, names
from tests.ops.backups.crafting import rewrite
from tests.prompts.databases import save

Make = Callable[[], Backup]


@pytest.fixture
def later(make: Make, tmp_path: Path) -> Backup:
    """A backup, after which a prompt was added and another one changed."""
    made = make()
    with at(tmp_path / "live.db") as alias:
        save(alias, "added/later", "Not in the backup.")
        save(alias, "mail/reply", "Changed after the backup.")
    return made


def test_the_database_is_as_it_was(place: Provider, later: Backup, tmp_path: Path) -> None:
    done = restore(place, later.path)
    assert done.proof.ok
    assert names(tmp_path / "live.db") == set(TEXTS)
    with at(tmp_path / "live.db") as alias:
        assert Prompt.objects.using(alias).get(name="mail/reply").content == TEXTS["mail/reply"]
        save(alias, "mail/reply", "And it can be written.")


def test_what_was_there_is_kept_as_an_environment(place: Provider, later: Backup) -> None:
    done = restore(place, later.path)
    (kept,) = [one for one in place.list() if one.name.startswith("before-restore-")]
    assert kept.name in done.kept
    assert kept.parent == "live"
    assert "kept as live was" in kept.frozen
    assert names(Path(kept.address)) == {*TEXTS, "added/later"}
    assert {one.name for one in place.list()} == {"live", kept.name}


def test_a_lost_database_is_made_anew(place: Provider, later: Backup, tmp_path: Path) -> None:
    (tmp_path / "live.db").unlink()
    assert restore(place, later.path).kept == ""
    assert names(tmp_path / "live.db") == set(TEXTS)


@pytest.mark.parametrize("damage", [bytes(8192), b"no database at all" * 1000], ids=["zeroed", "overwritten"])
def test_a_damaged_database_is_replaced_and_kept(
    place: Provider, later: Backup, tmp_path: Path, damage: bytes
) -> None:
    (tmp_path / "live.db").write_bytes(damage)
    done = restore(place, later.path)
    assert names(tmp_path / "live.db") == set(TEXTS)
    kept = place.get(done.kept.rpartition(" ")[2])
    assert Path(kept.address).read_bytes() == damage


def test_nothing_that_was_cached_of_the_old_one_is_taken_for_the_new_one(
    place: Provider, later: Backup, tmp_path: Path
) -> None:
    with at(tmp_path / "live.db") as alias:
        before = epoch.current(alias)
    restore(place, later.path)
    with at(tmp_path / "live.db") as alias:
        assert epoch.current(alias).partition(":")[0] != before.partition(":")[0]


def test_a_connection_that_was_open_is_told_when_it_writes(
    place: Provider, later: Backup, tmp_path: Path
) -> None:
    with at(tmp_path / "live.db") as alias:
        assert Prompt.objects.using(alias).filter(name="added/later").exists()
        restore(place, later.path)
        with pytest.raises(FileReplaced):
            Prompt.objects.using(alias).filter(name="mail/reply").update(title="Lost?")
        connections[alias].close_if_unusable_or_obsolete()
        assert not Prompt.objects.using(alias).filter(name="added/later").exists()


def test_who_writes_in_a_transaction_is_waited_for(place: Provider, later: Backup, tmp_path: Path) -> None:
    """And refused where that takes too long; the old database stays."""
    from ops.environments import local_swap

    waits = {"WAIT": 0.2}
    with at(tmp_path / "live.db") as alias, connections[alias].cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("ops.environments.local.WAIT", waits["WAIT"])
            patch.setattr(local_swap, "WAIT", waits["WAIT"])
            with pytest.raises(EnvironmentProblem, match="is in use"):
                restore(place, later.path)
        cursor.execute("ROLLBACK")
    assert "added/later" in names(tmp_path / "live.db")
    assert {one.name for one in place.list()} == {"live"}


Change = dict[str, Callable[[Any], Any]]
CASES: list[tuple[str, Change, type[Exception], str]] = [
    ("another engine", {"about": lambda one: one.update(engine="server")}, Unsuitable, "works on a file"),
    (
        "another key",
        {"about": lambda one: one.update(engine="encrypted file", database_key="abcd")},
        Unsuitable,
        "encrypted file",
    ),
    (
        "a newer schema",
        {"about": lambda one: one["migrations"].append("prompts.9999_of_tomorrow")},
        Unsuitable,
        "does not know",
    ),
    (
        "an older schema",
        {"about": lambda one: one["migrations"].remove("prompts.0005_create_labels")},
        Unsuitable,
        "--migrate",
    ),
    ("a newer format", {"about": lambda one: one.update(format=2)}, Unsuitable, "newer AFN"),
    (
        "a name that is none",
        {"about": lambda one: one.update(environment="\x1b[2Jlive")},
        DamagedBackup,
        "environment",
    ),
    ("a strange text", {"about": lambda one: one.update(extra=1)}, DamagedBackup, "extra"),
    (
        "another length",
        {"about": lambda one: one.update(database_bytes=one["database_bytes"] - 1)},
        DamagedBackup,
        "expected",
    ),
    (
        "other hashes",
        {"held": lambda one: one["members"].update({"database.db": "0" * 64})},
        DamagedBackup,
        "manifest names",
    ),
    (
        "a lost row",
        {"held": lambda one: one["tables"]["prompts"].update(rows=5)},
        NotProved,
        "prompts: expected 5 rows, found 4",
    ),
    (
        "a changed row",
        {"held": lambda one: one["tables"]["prompts"].update(hash="0" * 32)},
        NotProved,
        "not those that were backed up",
    ),
    ("another schema", {"held": lambda one: one.update(schema="0" * 32)}, NotProved, "definitions"),
    (
        "another search",
        {"held": lambda one: one["probes"][0]["found"].pop(0)},
        NotProved,
        "finds something else",
    ),
]


@pytest.mark.parametrize(
    ("change", "error", "text"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_does_not_fit_is_refused_before_anything_is_touched(
    place: Provider, later: Backup, tmp_path: Path, change: Change, error: type[Exception], text: str
) -> None:
    rewrite(later.path, **change)
    before = (tmp_path / "live.db").read_bytes(), (tmp_path / "live.db").stat().st_ino
    with pytest.raises(error, match=text):
        restore(place, later.path)
    assert ((tmp_path / "live.db").read_bytes(), (tmp_path / "live.db").stat().st_ino) == before
    assert {one.name for one in place.list()} == {"live"}
    assert [path.name for path in later.path.parent.iterdir()] == [later.path.name]


def test_a_backup_of_another_key_is_refused(
    place: Provider, later: Backup, key: object, make: Make, settings: Settings, tmp_path: Path
) -> None:
    made = make()
    settings.AFN_BACKUP_KEY = str(__import__("pyrage").x25519.Identity.generate())
    with pytest.raises(WrongKey):
        restore(place, made.path)
    assert "added/later" in names(tmp_path / "live.db")


def test_an_older_schema_is_migrated_on_the_way(place: Provider, tmp_path: Path) -> None:
    from django.core.management import call_command

    with at(tmp_path / "live.db") as alias:
        call_command("migrate", "ops", "0009", database=alias, verbosity=0)
    made = back_up(place)
    with pytest.raises(Unsuitable, match="create_backup_drills"):
        restore(place, made.path)
    restore(place, made.path, migrate=True)
    with at(tmp_path / "live.db") as alias:
        assert "backup_drills" in connections[alias].introspection.table_names()
    assert names(tmp_path / "live.db") == set(TEXTS)


def test_into_a_file_of_its_own(place: Provider, later: Backup, tmp_path: Path) -> None:
    before = (tmp_path / "live.db").read_bytes()
    done = restore_into(place, later.path, tmp_path / "other.db")
    assert done.path == tmp_path / "other.db"
    assert names(tmp_path / "other.db") == set(TEXTS)
    assert (tmp_path / "other.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "live.db").read_bytes() == before
    with pytest.raises(BackupProblem, match="such a file already"):
        restore_into(place, later.path, tmp_path / "other.db")
    with pytest.raises(BackupProblem, match="no such folder"):
        restore_into(place, later.path, tmp_path / "nope" / "other.db")


def test_into_a_file_whatever_the_engine(place: Provider, later: Backup, tmp_path: Path) -> None:
    rewrite(later.path, about=lambda one: one.update(engine="server"))
    restore_into(place, later.path, tmp_path / "other.db")
    assert names(tmp_path / "other.db") == set(TEXTS)


def test_a_file_that_differs_is_not_made(place: Provider, later: Backup, tmp_path: Path) -> None:
    rewrite(later.path, held=lambda one: one["tables"]["prompts"].update(hash="0" * 32))
    with pytest.raises(NotProved):
        restore_into(place, later.path, tmp_path / "other.db")
    assert not (tmp_path / "other.db").exists()
    assert not list(tmp_path.glob(".staging-*"))

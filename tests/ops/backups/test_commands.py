"""The commands for backups: what an operator reads, what a program reads, and how they end."""

import io
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import zstandard
from django.core.management import call_command
from django.core.management.base import CommandError

from afn_project.libsql import dbapi
from ops.backups import folder
from ops.environments.local import Provider
from tests.ops.backups.conftest import ENTRY, TEXTS, at, names
from tests.ops.backups.crafting import rewrite
from tests.prompts.databases import save

Run = Callable[..., str]


@pytest.fixture
def run(place: Provider, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in ("backup_database", "drill_backup", "restore_database"):
        monkeypatch.setattr(f"ops.management.commands.{name}.get_provider", lambda: place)

    def run(*arguments: str, **options: Any) -> str:
        out = io.StringIO()
        call_command(*arguments, **{"stdout": out, **options})
        return out.getvalue()

    return run


def test_a_backup_is_made_listed_proved_and_restored(run: Run, tmp_path: Path) -> None:
    made = json.loads(run("backup_database", "--json"))
    assert set(made) >= {"path", "bytes", "sha256", "tables"}
    (listed,) = json.loads(run("list_backups", "--json"))
    assert (listed["path"], listed["bytes"], listed["proved"]) == (made["path"], made["bytes"], None)
    verified = json.loads(run("verify_backup", listed["name"], "--json"))
    assert (verified["sha256"], verified["tables"]) == (made["sha256"], made["tables"])
    drilled = json.loads(run("drill_backup", "--json"))
    assert set(drilled) >= {"ok", "counts", "hashes", "probes", "seconds"}
    assert drilled["ok"] is True
    assert "proved" in run("list_backups")
    with at(tmp_path / "live.db") as alias:
        save(alias, "added/later", "x")
    restored = json.loads(run("restore_database", made["path"], "--yes", "--json"))
    assert (restored["environment"], restored["ok"]) == ("live", True)
    assert names(tmp_path / "live.db") == set(TEXTS)


def test_a_restored_database_that_is_frozen_is_said_to_be(run: Run, place: Provider) -> None:
    made = json.loads(run("backup_database", "--json"))
    place.freeze("live", "the disk is damaged")
    told = run("restore_database", made["path"], "--yes")
    assert "It is still frozen (the disk is damaged)." in told
    assert "environments unfreeze live" in told
    place.unfreeze("live")
    assert "frozen" not in run("restore_database", made["path"], "--yes")


def test_who_makes_one_without_a_key_is_warned(run: Run) -> None:
    warned = io.StringIO()
    text = run("backup_database", stderr=warned)
    assert "not encrypted" in warned.getvalue()
    assert "AFN_BACKUP_KEY" in warned.getvalue()
    assert "reads the whole database" in warned.getvalue()
    assert f"{len(TEXTS) * 2} probe searches" in text
    assert "drill_backup" in text


def test_of_an_encrypted_database_the_warning_says_what_can_be_read(
    place: Provider, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entry = {**ENTRY, "OPTIONS": {"encryption_key": "k" * 32}}
    main = tmp_path / "encrypted.db"
    with closing(dbapi.connect(str(main), encryption_key="k" * 32)) as connection:
        connection.execute("CREATE TABLE known_name (text)")
        connection.execute("INSERT INTO known_name VALUES ('canary-text')")
        connection.commit()
    locked = Provider(main=main, main_name="live", folder=tmp_path / "others", entry=entry, current="live")
    monkeypatch.setattr("ops.management.commands.backup_database.get_provider", lambda: locked)
    warned = io.StringIO()
    made = json.loads(run("backup_database", "--json", stderr=warned))
    assert (made["encrypted"], made["database_encrypted"]) == (False, True)
    assert "the names of its tables" in warned.getvalue()
    assert "AFN_DATABASE_KEY" in warned.getvalue()
    content = zstandard.ZstdDecompressor().decompressobj().decompress(Path(made["path"]).read_bytes())
    assert b"known_name" in content  # as it says
    assert b"canary-text" not in content


def test_with_a_key_there_is_no_warning(run: Run, key: object) -> None:
    warned = io.StringIO()
    run("backup_database", stderr=warned)
    assert warned.getvalue() == ""


def test_a_restore_asks_for_the_name(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = json.loads(run("backup_database", "--json"))
    with at(tmp_path / "live.db") as alias:
        save(alias, "added/later", "x")
    monkeypatch.setattr("builtins.input", lambda prompt: "yes")
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("restore_database", made["path"])
    assert "added/later" in names(tmp_path / "live.db")
    monkeypatch.setattr("builtins.input", lambda prompt: "live")
    assert "is kept: the environment before-restore-" in run("restore_database", made["path"])
    assert "added/later" not in names(tmp_path / "live.db")


def test_without_anybody_to_ask_it_says_how_to_go_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    made = json.loads(run("backup_database", "--json"))
    out, asked = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match="--yes"):
        run("restore_database", made["path"], "--json", stdout=out, stderr=asked)
    assert (out.getvalue(), "Type live to go on" in asked.getvalue()) == ("", True)


def test_a_drill_that_fails_ends_with_1_and_says_why(run: Run) -> None:
    made = json.loads(run("backup_database", "--json"))
    rewrite(Path(made["path"]), held=lambda one: one["tables"]["prompts"].update(rows=9))
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        run("drill_backup", stdout=out)
    assert ended.value.code == 1
    assert "prompts: expected 9 rows, found 4" in out.getvalue()
    assert "cannot be relied on" in out.getvalue()
    assert "FAILED" in run("list_backups")


@pytest.mark.parametrize("command", ["verify_backup", "drill_backup", "restore_database"])
def test_a_backup_that_there_is_not_is_one_line(run: Run, command: str) -> None:
    run("backup_database", "--json")
    with pytest.raises(CommandError, match="The newest are: live-"):
        run(command, "../nope")


def test_a_damaged_one_does_not_verify(run: Run) -> None:
    made = Path(json.loads(run("backup_database", "--json"))["path"])
    made.write_bytes(made.read_bytes()[:-1])
    with pytest.raises(CommandError, match="cut off"):
        run("verify_backup", made.name)


def test_pruning_says_what_it_would_remove(run: Run, settings: Any) -> None:
    settings.AFN_BACKUPS_KEEP = "daily=1"
    for _ in range(3):
        run("backup_database", "--json")
    assert run("prune_backups", "--dry-run").count("would remove") == 2
    found = json.loads(run("prune_backups", "--json"))
    assert (len(found["removed"]), len(found["kept"]), found["dry_run"]) == (2, 1, False)
    assert len(folder.stored()) == 1


def test_a_key_is_made_once_and_never_printed(run: Run, tmp_path: Path) -> None:
    text = run("backup_key", str(tmp_path / "key"))
    secret = (tmp_path / "key").read_text().split()[-1]
    assert secret.startswith("AGE-SECRET-KEY-1")
    assert secret not in text
    assert "age1" in text
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandError, match="such a file already"):
        run("backup_key", str(tmp_path / "key"))

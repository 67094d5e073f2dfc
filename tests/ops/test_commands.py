"""Commands on a database that is not ready, as they are typed: one line with the next step, no traceback."""

from pathlib import Path

import pytest

from tests.processes import manage

COMMANDS = [["search", "x"], ["embed_prompts"], ["create_api_key", "--name", "x"], ["seed_data", "--force"]]


@pytest.mark.parametrize("command", COMMANDS)
def test_without_tables_the_next_step_is_told(tmp_path: Path, command: list[str]) -> None:
    done = manage(*command, AFN_DATABASE_FILE=str(tmp_path / "afn.db"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("CommandError: The database cannot be used: no such table")
    assert "Run `manage.py init_db` first" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_traceback_is_there_for_who_asks(tmp_path: Path) -> None:
    done = manage("search", "x", "--traceback", AFN_DATABASE_FILE=str(tmp_path / "afn.db"))
    assert "Traceback" in done.stderr


@pytest.mark.parametrize("command", [["search", "x"], ["init_db"], ["quickstart", "--no-server"]])
def test_a_file_that_is_no_database_is_told(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "afn.db").write_bytes(b"These are no tables. " * 500)
    done = manage(*command, AFN_DATABASE_FILE=str(tmp_path / "afn.db"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("CommandError: The database cannot be used: ")
    assert "Traceback" not in done.stderr


def test_a_key_that_does_not_fit_the_file_is_told_unseen(tmp_path: Path) -> None:
    file = {"AFN_DATABASE_FILE": str(tmp_path / "afn.db")}
    assert manage("init_db", AFN_DATABASE_KEY="a" * 32, **file).returncode == 0
    done = manage("search", "x", AFN_DATABASE_KEY="b" * 32, **file)
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The database cannot be used: ")
    assert "b" * 32 not in done.stderr

"""`manage.py secure_env` in a checkout of its own, with a canary for every value: none is ever printed."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from afn_project.env_texts import find_text_problems
from afn_project.secure_env import changing
from afn_project.secure_env.keys import KEY, KEY_FILE, FileStore, make_key

from .checkouts import make_checkout, run, start

CANARY = "canary-7d1f"
TEXT = f"""# {CANARY} of a comment
SECRET_KEY={CANARY}-{"k" * 50}
REDIS_PASSWORD='{CANARY} with "quotes" and $dollars'
OF_OTHERS={CANARY}
LOG_LEVEL=WARNING
"""
# Lines of a key that was pasted without quotes: they look like names.
BROKEN = f"PRIVATE_KEY=-----BEGIN\n{CANARY}abc\n{CANARY}def=\n'{CANARY}\n"


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture
def checkout(wiring: Path) -> Iterator[Path]:
    """With a `.env`, and nothing else that is secret."""
    (wiring / ".env").write_text(TEXT)
    (wiring / ".env").chmod(0o600)
    yield wiring
    for path in wiring.glob(".env*"):
        path.unlink()


def ran(checkout: Path, *arguments: str, status: int = 0, **variables: str) -> str:
    """Its whole output, which has no canary and no key."""
    done = run(checkout, "secure_env", *arguments, **variables)
    output = done.stdout + done.stderr
    assert done.returncode == status, output
    assert CANARY not in output
    if KEY in variables:
        assert variables[KEY] not in output
    return output


@pytest.fixture
def key_file(checkout: Path, tmp_path: Path) -> str:
    """The key of a `.env.enc` that lies beside the `.env`."""
    store = FileStore(tmp_path / "env-key")
    changing.encrypt(checkout, store)
    return str(store.path)


def test_a_file_is_encrypted_read_edited_rotated_and_decrypted(checkout: Path, tmp_path: Path) -> None:
    path = tmp_path / "env-key"
    told = ran(checkout, "encrypt", "--key-file", str(path))
    assert f"Set {KEY_FILE}={path} wherever AFN starts" in told
    assert ".env is still there in plain text" in told
    assert path.read_text().strip() not in told
    used = {KEY_FILE: str(path)}

    found = json.loads(ran(checkout, "status", "--json", **used))
    assert (found["form"], found["plain"], found["encrypted"], found["problem"]) == (
        "encrypted",
        True,
        True,
        None,
    )
    assert found["variables"] == ["SECRET_KEY", "REDIS_PASSWORD", "OF_OTHERS", "LOG_LEVEL"]
    assert found["key_source"] == f"{KEY_FILE} ({path})"

    assert ".env is removed" in ran(checkout, "encrypt", "--remove-plain", **used)
    assert not (checkout / ".env").exists()
    assert start(checkout, **used).stdout == f"{CANARY}-{'k' * 50} WARNING\n"

    ran(checkout, "edit", EDITOR="sed -i s/WARNING/ERROR/", **used)
    before = path.read_text()
    ran(checkout, "rotate", **used)
    assert path.read_text() != before
    told = ran(checkout, "decrypt", "--remove-encrypted", **used)
    assert ".env.enc is removed" in told
    assert (checkout / ".env").read_text() == TEXT.replace("WARNING", "ERROR")


def test_it_runs_where_the_settings_do_not_start(checkout: Path, key_file: str) -> None:
    wrong = {KEY: make_key()}
    started = run(checkout, "check", **wrong)
    assert started.returncode == 1
    assert "was encrypted with another key than that of AFN_ENV_KEY" in started.stderr
    assert "`manage.py secure_env status`" in started.stderr
    assert "Traceback" not in started.stderr
    assert "was encrypted with another key" in ran(checkout, "status", status=1, **wrong)
    found = json.loads(ran(checkout, "status", "--json", status=1, **wrong))
    assert (found["variables"], found["key_source"]) == ([], KEY)
    assert "Variables: SECRET_KEY" in ran(checkout, "status", **{KEY_FILE: key_file})


def test_a_plain_file_has_its_status_too(checkout: Path) -> None:
    found = json.loads(ran(checkout, "status", "--json"))
    assert (found["form"], found["key_source"]) == ("plain", None)
    (checkout / ".env").unlink()
    assert ran(checkout, "status") == "Read: no file; variables of the environment win.\n"


def test_lines_that_are_no_variables_are_counted_and_not_shown(checkout: Path) -> None:
    (checkout / ".env").write_text(BROKEN)
    found = json.loads(run(checkout, "secure_env", "status", "--json").stdout)
    assert found["variables"] == ["PRIVATE_KEY"]
    assert found["unnamed_lines"] == [2, 3, 4]
    told = ran(checkout, "status")
    assert "Line 3: expected NAME=value" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (f"WARNING/{CANARY}", "LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'."),
        (f"LOG_LEVEL=.*/LOG_LEVLE={CANARY}", "LOG_LEVLE: AFN has no such variable."),
        ("LOG_LEVEL=.*/VECTOR_INDEX_TYPE=hnsw", "VECTOR_INDEX_TYPE: Expected another value"),
        (f"LOG_LEVEL=.*/AFN_LLM_PRICES={CANARY}", "AFN_LLM_PRICES: Expected JSON."),
        (f"LOG_LEVEL=.*/AFN_DATABASE_KEY={CANARY}", "AFN_DATABASE_KEY: Value should have at least 32"),
        (f"LOG_LEVEL=.*/ALEMBIC_CONFIG={CANARY}", "ALEMBIC_CONFIG: Django's migrations replace Alembic"),
        (f"LOG_LEVEL=.*/{CANARY}", "Line 5: expected NAME=value"),
        (f"LOG_LEVEL=.*/AFN_ENV_KEY={CANARY}", "AFN_ENV_KEY: cannot lie in the file that it opens."),
        (
            f"LOG_LEVEL=.*/SECRET_KEY_FILE={CANARY}",
            "SECRET_KEY: expected either it or SECRET_KEY_FILE, got both.",
        ),
    ],
)
def test_a_text_that_is_wrong_is_named_without_values(change: str, told: str) -> None:
    pattern, text = change.split("/")
    new = re.sub(pattern, text, TEXT)
    found = find_text_problems(TEXT, new)
    assert told in "\n".join(found)
    assert CANARY not in "\n".join(found)
    assert find_text_problems(TEXT, TEXT) == []


def test_an_edit_that_is_wrong_leaves_the_old_text(checkout: Path, key_file: str) -> None:
    before = (checkout / ".env.enc").read_bytes()
    output = ran(checkout, "edit", status=1, EDITOR=f"sed -i s/WARNING/{CANARY}/", **{KEY_FILE: key_file})
    assert "LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'." in output
    assert "Nothing is changed" in output
    assert (checkout / ".env.enc").read_bytes() == before


def test_an_edit_that_is_wrong_is_kept_by_force(checkout: Path, key_file: str) -> None:
    used = {KEY_FILE: key_file}
    output = ran(checkout, "edit", "--force", EDITOR="sed -i s/LOG_LEVEL/LOG_LEVLE/", **used)
    assert "LOG_LEVLE: AFN has no such variable." in output
    assert "LOG_LEVLE" in ran(checkout, "status", **used)
    # What was there before is not asked about again.
    assert "no such variable" not in ran(checkout, "edit", EDITOR="sed -i s/WARNING/ERROR/", **used)


@pytest.mark.parametrize(("typed", "is_kept"), [("x\ns\n", True), ("k\n", False), ("e\nk\n", False)])
def test_whoever_sits_at_a_terminal_is_asked(
    checkout: Path, key_file: str, typed: str, is_kept: bool
) -> None:
    before = (checkout / ".env.enc").read_bytes()
    terminal, theirs = os.openpty()
    try:
        os.write(terminal, typed.encode())
        editor = f"sed -i s/^LOG_LEVEL=.*/LOG_LEVEL={CANARY}/"
        done = run(checkout, "secure_env", "edit", stdin=theirs, EDITOR=editor, **{KEY_FILE: key_file})
    finally:
        os.close(terminal)
        os.close(theirs)
    assert "[e]dit again, [s]ave as it is, [k]eep the old one?" in done.stderr
    assert (done.returncode == 0) == is_kept
    assert ((checkout / ".env.enc").read_bytes() != before) == is_kept
    assert CANARY not in done.stdout + done.stderr


FAILURES = [
    (["encrypt"], {}, "The keyring cannot be used"),
    (["encrypt", "--keyring"], {}, "The keyring cannot be used"),
    (["encrypt", "--key-file", "/"], {}, "--key-file (/): expected a file, got a folder"),
    (["encrypt", "--key-file", "none/key"], {}, "No such file or directory"),
    (["encrypt", "--key-file", "other"], {KEY: "k" * 43}, "The environment names another key, AFN_ENV_KEY"),
    (["encrypt"], {KEY: CANARY}, "AFN_ENV_KEY: expected a key of 32 to 1024 printable characters"),
    (["encrypt"], {KEY_FILE: "none/key"}, "none/key cannot be written: No such file or directory"),
    (["decrypt"], {KEY: "k" * 43}, "`manage.py secure_env encrypt` makes it of .env"),
    (["rotate"], {KEY: "k" * 43}, "`manage.py secure_env encrypt` makes it of .env"),
    (["edit"], {KEY: "k" * 43, "EDITOR": "true"}, "`manage.py secure_env encrypt` makes it of .env"),
    (["encrypt", "--key-file", "a", "--keyring"], {}, "not allowed with argument --key-file"),
    ([], {}, "the following arguments are required: ACTION"),
]


@pytest.mark.parametrize(("arguments", "variables", "message"), FAILURES)
def test_a_failure_says_what_to_do_and_no_value(
    checkout: Path, arguments: list[str], variables: dict[str, str], message: str
) -> None:
    backend = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    done = run(checkout, "secure_env", "--traceback", *arguments, **backend | variables)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert message in output
    assert CANARY not in output
    assert "k" * 43 not in output
    assert (checkout / ".env").read_text() == TEXT


def test_a_damaged_file_tells_nothing_in_any_subcommand(checkout: Path, key_file: str) -> None:
    content = (checkout / ".env.enc").read_bytes()
    (checkout / ".env.enc").write_bytes(content[:-20] + b"\n")
    for arguments in (["status"], ["decrypt"], ["rotate"], ["edit"], ["encrypt"]):
        output = ran(checkout, "--traceback", *arguments, status=1, EDITOR="true", **{KEY_FILE: key_file})
        assert "was changed or cut off after it was encrypted" in output
    assert "is written" in ran(checkout, "encrypt", "--force", **{KEY_FILE: key_file})


def test_the_start_fails_with_the_next_step_and_no_value(checkout: Path, key_file: str) -> None:
    (checkout / ".env").unlink()
    content = (checkout / ".env.enc").read_bytes()
    no_keyring = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    Path(key_file).chmod(0o644)
    for variables, message in (
        (no_keyring, "Set AFN_ENV_KEY_FILE to a key file instead"),
        ({KEY_FILE: key_file}, f"Run: chmod 600 {key_file}"),
        ({KEY_FILE: f"{key_file}-none"}, "there is no such file"),
        ({KEY: make_key()}, "Set AFN_ENV_KEY_FILE or AFN_ENV_KEY to the right key"),
    ):
        done = run(checkout, "check", "--traceback", **variables)
        assert done.returncode == 1
        assert message in done.stderr
        assert CANARY not in done.stdout + done.stderr
    Path(key_file).chmod(0o600)
    (checkout / ".env.enc").write_bytes(content[:100])
    done = run(checkout, "check", **{KEY_FILE: key_file})
    assert "is cut off, or its header was changed. Restore it from a copy" in done.stderr

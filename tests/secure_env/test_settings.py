"""The settings read `.env.enc` as they read `.env`, quote nothing of it, and load nothing without it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from afn_project.env import BASE_DIR, REFUSED, Env, read_env, secret_names
from afn_project.secret_checks import warn_of_plain, warn_of_readers
from afn_project.secure_env import changing
from afn_project.secure_env.keys import KEY_FILE, FileStore
from tests.processes import clean_environment

CANARY = "canary-7d1f"
Read = Callable[[str], Env]


@pytest.fixture
def read(folder: Path, store: FileStore, cheap: None, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read this text from an encrypted file, beside which there is no plain one."""
    for name in (*Env.model_fields, *REFUSED):
        monkeypatch.delenv(name.upper(), raising=False)
    for name in secret_names():
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.setenv(KEY_FILE, str(store.path))

    def read(text: str) -> Env:
        (folder / ".env").write_text(text)
        changing.encrypt(folder, store, force=True, remove_plain=True)
        return read_env(folder / ".env")

    return read


def test_both_forms_mean_the_same(read: Read, folder: Path, store: FileStore) -> None:
    text = (BASE_DIR / ".env.example").read_text(encoding="utf-8").replace("\n#", "\n")
    text += "allowed_hosts='a.org, b.org'\nexport TIME_ZONE=Asia/Tokyo\nSECRET_KEY=\"a ${TIME_ZONE}\"\r\n"
    text = "".join(
        line for line in text.splitlines(keepends=True) if "=" in line and not line.startswith((" ", "#"))
    )
    encrypted = read(text)
    changing.decrypt(folder, store, remove_encrypted=True)
    assert read_env(folder / ".env") == encrypted
    assert encrypted.secret_key is not None
    assert encrypted.secret_key.get_secret_value() == "a Asia/Tokyo"
    assert encrypted.allowed_hosts == ["a.org", "b.org"]


def test_the_environment_wins_over_the_encrypted_file(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("TIME_ZONE", "")
    env = read("LOG_LEVEL=ERROR\nTIME_ZONE=Asia/Tokyo\n")
    assert (env.log_level, env.time_zone) == ("DEBUG", "Asia/Tokyo")
    assert "afn_public_read" not in env.model_fields_set


def test_the_encrypted_file_wins_over_a_plain_one(read: Read, folder: Path) -> None:
    read("LOG_LEVEL=ERROR\n")
    (folder / ".env").write_text("LOG_LEVEL=DEBUG\nTIME_ZONE=Asia/Tokyo\n")
    env = read_env(folder / ".env")
    assert (env.log_level, env.time_zone) == ("ERROR", "UTC")


WRONG = [
    ("LOG_LEVEL", CANARY, "Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    ("TIME_ZONE", CANARY, "Expected an IANA name such as Asia/Tokyo"),
    ("VECTOR_INDEX_TYPE", "hnsw", "Expected another value, see docs/settings.md"),
    ("AFN_LLM_PRICES", f'{{"{CANARY}": "x"}}', "Input should be a valid list"),
    ("AFN_LLM_PRICES", CANARY, "Expected JSON"),
    ("AFN_DATABASE_KEY", CANARY, "at least 32"),
    ("AFN_OUTGOING_ALLOWED", f"a.org https://{CANARY}", "Expected host, host:port"),
    ("ALEMBIC_CONFIG", CANARY, "Django's migrations replace Alembic"),
]


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_a_wrong_value_of_the_encrypted_file_is_named_and_not_shown(
    read: Read, name: str, value: str, message: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        read(f"{name}='{value}'\n")
    assert f"\n  {name}: " in str(caught.value)
    assert message in str(caught.value)
    assert CANARY not in str(caught.value)
    assert value not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_wrong_value_of_the_environment_is_shown_beside_it(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(ImproperlyConfigured, match=r"LOG_LEVEL: .*, got 'loud'") as caught:
        read(f"TIME_ZONE={CANARY}\n")
    assert CANARY not in str(caught.value)


def test_without_an_encrypted_file_nothing_is_loaded_for_one(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=ERROR\n")
    code = (
        "import sys; from pathlib import Path; from afn_project.env import read_env; "
        f"assert read_env(Path({str(tmp_path / '.env')!r})).log_level == 'ERROR'; "
        "print([name for name in sys.modules if name.split('.')[0] in ('cryptography', 'keyring')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean_environment(), cwd=BASE_DIR, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_plain_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(ImproperlyConfigured, match=r"\.env: expected a file, got a folder"):
        read_env(tmp_path / ".env")


def test_a_plain_file_beside_the_encrypted_one_is_warned_of(folder: Path) -> None:
    assert list(warn_of_plain(folder / ".env")) == []
    (folder / ".env.enc").touch()
    (folder / ".env.new").touch()
    found = list(warn_of_plain(folder / ".env"))
    assert [warning.id for warning in found] == ["afn.W010", "afn.W010"]
    assert "secure_env encrypt --remove-plain" in str(found[0].hint)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1), (0o620, 1)])
def test_secrets_that_others_can_use_are_warned_of_with_the_mend(
    folder: Path, mode: int, warned: int
) -> None:
    (folder / ".env").chmod(mode)
    found = list(warn_of_readers([folder / ".env", folder / "none"]))
    assert [(warning.id, warning.hint) for warning in found] == [
        ("afn.W011", f"Run: chmod 600 {folder / '.env'}")
    ] * warned


def test_the_checks_look_at_the_files_that_are_in_use(
    folder: Path, store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from afn_project import env, secret_checks, secret_key

    key = folder / "secret_key"
    key.touch(mode=0o644)
    key.chmod(0o644)
    store.path.chmod(0o644)
    (folder / ".env").chmod(0o644)
    (folder / ".env.enc").touch()
    monkeypatch.setattr(env, "FILE", folder / ".env")
    monkeypatch.setattr(secret_key, "PATH", key)
    monkeypatch.setenv(KEY_FILE, str(store.path))
    found = secret_checks.check_secret_files()
    assert [warning.id for warning in found] == ["afn.W010", "afn.W011", "afn.W011", "afn.W011"]
    hints = [str(warning.hint) for warning in found[1:]]
    assert hints == [f"Run: chmod 600 {path}" for path in (folder / ".env", key, store.path)]

"""Where the master key comes from, and which key files and keyrings are refused."""

import os
import time
from pathlib import Path

import pytest

from afn_project.secure_env import changing, keyrings
from afn_project.secure_env.keys import (
    KEY,
    KEY_FILE,
    FileStore,
    KeyringStore,
    VariableStore,
    find_store,
    find_target,
    make_key,
)
from afn_project.secure_env.problems import SecretProblem
from afn_project.secure_env.reading import open_encrypted

from . import keyring_backends
from .conftest import TEXT

BACKENDS = keyring_backends.__name__


@pytest.fixture
def use_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use this one, which is a file; the path of it."""
    path = tmp_path / "keyring.json"
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.InFile")
    monkeypatch.setenv(keyring_backends.FILE, str(path))
    return path


def test_the_variable_comes_before_the_file_and_that_before_the_keyring(folder: Path, key_file: Path) -> None:
    own = make_key()
    both = {KEY: own, KEY_FILE: str(key_file)}
    assert find_store(folder, both) == VariableStore(own)
    assert find_store(folder, {KEY: "", KEY_FILE: str(key_file)}) == FileStore(key_file)
    assert find_store(folder, {KEY: "", KEY_FILE: ""}) == KeyringStore(folder)
    assert find_store(folder, {KEY_FILE: "var/env-key"}) == FileStore(folder / "var" / "env-key")


def test_an_option_that_names_what_is_in_use_changes_nothing(folder: Path, key_file: Path) -> None:
    used = {KEY_FILE: str(key_file)}
    assert find_target(folder, key_file=str(key_file), keyring=False, environ=used) is None
    assert find_target(folder, key_file=None, keyring=True, environ={}) is None
    assert find_target(folder, key_file=None, keyring=True, environ=used) == KeyringStore(folder)
    target = find_target(folder, key_file=str(folder / "other"), keyring=False, environ=used)
    assert target == FileStore(folder / "other", "--key-file")


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_file_of_ones_own_is_read(store: FileStore, mode: int) -> None:
    store.path.chmod(mode)
    assert store.read() == [store.path.read_text().rstrip()]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o700, 0o4600])
def test_a_key_file_that_others_can_use_is_refused_with_the_mend(store: FileStore, mode: int) -> None:
    store.path.chmod(mode)
    with pytest.raises(SecretProblem, match=f"got {mode:04o}. Run: chmod 600 {store.path}"):
        store.read()


def test_a_key_file_of_another_user_is_refused(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(SecretProblem, match="belongs to another user, who could exchange it"):
        store.read()


@pytest.mark.parametrize(
    "content", ["", "\n", "short", "k" * 31, "k" * 1025, f"{'k' * 40}\nmore", f"{'k' * 40}\0"]
)
def test_what_is_no_key_is_refused_unseen(store: FileStore, content: str) -> None:
    store.path.write_text(content)
    with pytest.raises(SecretProblem, match="expected a key of 32 to 1024 printable characters") as caught:
        store.read()
    assert "kkk" not in str(caught.value)


def test_one_line_break_at_the_end_is_no_part_of_the_key(store: FileStore) -> None:
    for content in ("k" * 32, "k" * 32 + "\n", "k" * 32 + "\r\n"):
        store.path.write_bytes(content.encode())
        assert store.read() == ["k" * 32]


def test_paths_that_lead_to_no_file_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, message in (
        ("none", "there is no such file. `manage.py secure_env encrypt --key-file"),
        (".", "expected a file, got a folder"),
        ("pipe", "expected a file, got something else"),
    ):
        with pytest.raises(SecretProblem, match=message) as caught:
            FileStore(tmp_path / name).read()
        assert str(tmp_path / name) in str(caught.value)


def test_keys_that_afn_makes_differ_and_are_long_enough() -> None:
    keys = {make_key() for _ in range(8)}
    assert len(keys) == 8
    assert {len(key) for key in keys} == {43}  # 256 bits


@pytest.mark.usefixtures("cheap")
def test_a_key_in_the_keyring_is_made_used_and_changed(folder: Path, use_keyring: Path) -> None:
    store = KeyringStore(folder)
    changing.encrypt(folder, store)
    [first] = store.read()
    assert first in use_keyring.read_text()
    changing.rotate(folder, store)
    [second] = store.read()
    assert first not in use_keyring.read_text()
    opened = open_encrypted(folder / ".env.enc", store)
    assert (opened.text, opened.key) == (TEXT, second)


@pytest.mark.usefixtures("cheap", "use_keyring")
def test_a_change_in_the_keyring_that_was_cut_off_is_finished_or_undone(folder: Path) -> None:
    store = KeyringStore(folder)
    changing.encrypt(folder, store)
    [first] = store.read()
    store.add_next("n" * 43)
    assert open_encrypted(folder / ".env.enc", store).key == first
    changing.decrypt(folder, store)
    assert store.read() == [first]

    store.add_next("n" * 43)
    changing.save(folder, TEXT, "n" * 43)
    assert open_encrypted(folder / ".env.enc", store).key == "n" * 43
    changing.decrypt(folder, store)
    assert store.read() == ["n" * 43]


@pytest.mark.usefixtures("use_keyring")
def test_each_checkout_has_an_entry_of_its_own(tmp_path: Path) -> None:
    changing.ensure_key(KeyringStore(tmp_path / "a"))
    with pytest.raises(SecretProblem, match="There is no key for"):
        KeyringStore(tmp_path / "b").read()


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("keyring.backends.fail.Keyring", "this machine has none that can be used"),
        ("keyring.backends.null.Keyring", "this machine has none that can be used"),
        (f"{BACKENDS}.Refusing", r"it refused \(RuntimeError\)"),
        (f"{BACKENDS}.Typing", "it refused"),
        ("none.such", r"it refused \(ModuleNotFoundError\)"),
    ],
)
@pytest.mark.usefixtures("use_keyring")
def test_a_keyring_that_cannot_be_used_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str, message: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    with pytest.raises(
        SecretProblem, match=f"{message}.*Set AFN_ENV_KEY_FILE to a key file instead"
    ) as caught:
        KeyringStore(tmp_path).read()
    assert "canary" not in str(caught.value)


@pytest.mark.usefixtures("use_keyring")
def test_a_keyring_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.Silent")
    start = time.monotonic()
    with pytest.raises(SecretProblem, match="The keyring did not answer within 1 seconds"):
        KeyringStore(tmp_path, patience=1).read()
    assert time.monotonic() - start < 10


@pytest.mark.usefixtures("use_keyring")
def test_a_keyring_that_keeps_nothing_is_no_place_for_a_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.Forgetful")
    with pytest.raises(SecretProblem, match="The keyring did not keep the key"):
        changing.encrypt(folder, KeyringStore(folder), remove_plain=True)
    assert (folder / ".env").read_text() == TEXT
    assert not (folder / ".env.enc").exists()


def test_without_the_package_the_keyring_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "keyring.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SecretProblem, match="the package `keyring` is not installed"):
        keyrings.ask(["x"])

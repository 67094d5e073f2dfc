"""Encrypting, decrypting and rotating: what is written, what is refused, and that nothing is lost."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from afn_project.secure_env import changing, files
from afn_project.secure_env.keys import FileStore, VariableStore, make_key
from afn_project.secure_env.problems import SecretProblem, WrongKey
from afn_project.secure_env.reading import open_encrypted

from .conftest import TEXT

pytestmark = pytest.mark.usefixtures("cheap")
Names = Callable[[Path], set[str]]


def text_of(folder: Path, store: FileStore) -> str:
    return open_encrypted(folder / ".env.enc", store).text


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_plain_file_stays_unless_it_is_asked_to_go(folder: Path, store: FileStore, names: Names) -> None:
    assert changing.encrypt(folder, store) == changing.Encrypted(
        is_new=True, key_made=False, plain_removed=False
    )
    assert names(folder) == {".env", ".env.enc"}
    assert text_of(folder, store) == TEXT
    assert mode(folder / ".env.enc") == 0o600

    content = (folder / ".env.enc").read_bytes()
    done = changing.encrypt(folder, store, remove_plain=True)
    assert done == changing.Encrypted(is_new=False, key_made=False, plain_removed=True)
    assert names(folder) == {".env.enc"}
    assert (folder / ".env.enc").read_bytes() == content


def test_a_new_key_is_for_its_owner_alone_and_complete_before_it_is_used(
    folder: Path, tmp_path: Path
) -> None:
    new = FileStore(tmp_path / "new-key")
    assert changing.encrypt(folder, new).key_made
    assert mode(new.path) == 0o600
    assert len(new.read()[0]) == 43
    assert text_of(folder, new) == TEXT


def test_a_key_that_is_there_is_used(folder: Path, store: FileStore) -> None:
    [before] = store.read()
    changing.encrypt(folder, store)
    assert store.read() == [before]


def test_another_content_is_replaced_only_by_force(folder: Path, store: FileStore) -> None:
    changing.encrypt(folder, store)
    (folder / ".env").write_text(TEXT.replace("WARNING", "ERROR") + "OPENAI_API_KEY=canary-9\n")
    with pytest.raises(SecretProblem, match=r"says something else \(LOG_LEVEL, OPENAI_API_KEY\)") as caught:
        changing.encrypt(folder, store, remove_plain=True)
    assert "canary" not in str(caught.value)
    assert text_of(folder, store) == TEXT
    changing.encrypt(folder, store, force=True)
    assert "LOG_LEVEL=ERROR" in text_of(folder, store)


def test_no_key_is_made_for_a_file_that_is_encrypted_already(
    folder: Path, store: FileStore, tmp_path: Path
) -> None:
    changing.encrypt(folder, store)
    with pytest.raises(SecretProblem, match=r"there is no such file.*--force"):
        changing.encrypt(folder, FileStore(tmp_path / "mistyped"))
    assert not (tmp_path / "mistyped").exists()


def test_what_does_not_open_is_replaced_only_by_force(folder: Path, store: FileStore) -> None:
    changing.encrypt(folder, VariableStore("o" * 43))
    with pytest.raises(SecretProblem, match=r"encrypted with another key.*--force"):
        changing.encrypt(folder, store)
    changing.encrypt(folder, store, force=True)
    assert text_of(folder, store) == TEXT


def test_the_plain_file_stays_where_the_encrypted_one_does_not_open(
    folder: Path, store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk gives back something else than was written."""
    write = files.replace

    def damage(path: Path, content: bytes) -> None:
        write(path, content[:-9] + b"AAAAAAA=\n")

    monkeypatch.setattr(files, "replace", damage)
    with pytest.raises(SecretProblem, match="was changed or cut off"):
        changing.encrypt(folder, store, remove_plain=True)
    assert (folder / ".env").read_text() == TEXT


def test_a_plain_file_with_other_names_is_not_removed(folder: Path, store: FileStore, tmp_path: Path) -> None:
    os.link(folder / ".env", tmp_path / "copy")
    with pytest.raises(SecretProblem, match="has another name, too"):
        changing.encrypt(folder, store, remove_plain=True)
    (folder / ".env").unlink()
    (folder / ".env").symlink_to(tmp_path / "copy")
    with pytest.raises(SecretProblem, match="is a link"):
        changing.encrypt(folder, store, remove_plain=True)
    assert (folder / ".env").read_text() == TEXT


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"A=canary-\xfc\n", "expected UTF-8 text"),
        (b"A=" + b"c" * 256_000, "expected 256,000 bytes at most"),
        (b"AFN_ENV_KEY=canary\n", "AFN_ENV_KEY cannot lie in the file that it opens"),
    ],
)
def test_what_is_no_file_of_variables_is_not_encrypted(
    folder: Path, store: FileStore, content: bytes, message: str
) -> None:
    (folder / ".env").write_bytes(content)
    with pytest.raises(SecretProblem, match=message) as caught:
        changing.encrypt(folder, store)
    assert "canary" not in str(caught.value)
    assert not (folder / ".env.enc").exists()


def test_decrypting_gives_the_same_bytes_to_this_user_alone(
    folder: Path, store: FileStore, names: Names
) -> None:
    text = 'A="1\r\n2"\r\nB=ü\n'.encode()
    (folder / ".env").write_bytes(text)
    changing.encrypt(folder, store, remove_plain=True)
    changing.decrypt(folder, store)
    assert (folder / ".env").read_bytes() == text
    assert mode(folder / ".env") == 0o600
    changing.decrypt(folder, store, remove_encrypted=True)
    assert names(folder) == {".env"}


def test_decrypting_keeps_what_somebody_has_written(folder: Path, store: FileStore) -> None:
    changing.encrypt(folder, store)
    (folder / ".env").write_text("LOG_LEVEL=ERROR\n")
    (folder / ".env").chmod(0o644)
    with pytest.raises(SecretProblem, match=r"says something else \(LOG_LEVEL, SECRET_KEY\)"):
        changing.decrypt(folder, store)
    changing.decrypt(folder, store, force=True)
    assert (folder / ".env").read_text() == TEXT
    assert mode(folder / ".env") == 0o600


def test_rotation_makes_another_key_and_the_older_one_opens_nothing(folder: Path, store: FileStore) -> None:
    changing.encrypt(folder, store)
    [old] = store.read()
    changing.rotate(folder, store)
    [new] = store.read()
    assert new != old
    assert mode(store.path) == 0o600
    assert text_of(folder, store) == TEXT
    with pytest.raises(WrongKey):
        open_encrypted(folder / ".env.enc", VariableStore(old))


def test_rotation_leads_from_a_variable_to_a_file(folder: Path, tmp_path: Path) -> None:
    used, target = VariableStore(make_key()), FileStore(tmp_path / "new-key")
    changing.encrypt(folder, used)
    with pytest.raises(SecretProblem, match=r"AFN_ENV_KEY cannot be changed from here.*--key-file PATH"):
        changing.rotate(folder, used)
    changing.rotate(folder, used, target)
    assert text_of(folder, target) == TEXT
    with pytest.raises(SecretProblem, match=r"encrypted with the key of .* already"):
        changing.rotate(folder, target, target)


def test_owner_and_rights_of_what_is_replaced_stay(folder: Path, store: FileStore) -> None:
    changing.encrypt(folder, store)
    (folder / ".env.enc").chmod(0o640)
    store.path.chmod(0o400)
    changing.rotate(folder, store)
    assert (mode(folder / ".env.enc"), mode(store.path)) == (0o640, 0o400)


def test_links_are_followed_and_stay_links(folder: Path, tmp_path: Path) -> None:
    real = FileStore(tmp_path / "real-key")
    changing.ensure_key(real)
    (tmp_path / "key").symlink_to(real.path)
    changing.encrypt(folder, real)
    (folder / ".env.enc").rename(tmp_path / "elsewhere.enc")
    (folder / ".env.enc").symlink_to(tmp_path / "elsewhere.enc")
    changing.rotate(folder, FileStore(tmp_path / "key"))
    assert (tmp_path / "key").is_symlink()
    assert (folder / ".env.enc").is_symlink()
    assert text_of(folder, real) == TEXT


def test_two_commands_do_not_work_at_once(folder: Path, store: FileStore) -> None:
    with (
        files.locked(folder),
        pytest.raises(SecretProblem, match=r"Another `manage.py secure_env` is at work"),
    ):
        changing.encrypt(folder, store)


def test_a_reader_between_the_steps_of_a_rotation_looks_again(folder: Path, store: FileStore) -> None:
    """It has read the file before it was replaced, and the key after that."""
    changing.encrypt(folder, store)

    class Late(FileStore):
        def read(self) -> list[str]:
            if not done:
                done.append(True)
                changing.rotate(folder, store)
            return super().read()

    done: list[bool] = []
    assert text_of(folder, Late(store.path)) == TEXT
    assert done


def test_a_full_disk_leaves_everything_as_it_was(
    folder: Path, store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing.encrypt(folder, store)
    before = ((folder / ".env.enc").read_bytes(), store.read())

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(SecretProblem, match="cannot be written: No space left on device"):
            changing.rotate(folder, store)
    assert ((folder / ".env.enc").read_bytes(), store.read()) == before
    assert {path.name for path in store.path.parent.iterdir()} == {"checkout", "env-key"}

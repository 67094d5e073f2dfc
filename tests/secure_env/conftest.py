"""A folder with a `.env` and a key file; scrypt at a thirtieth of its cost where that is not the matter."""

from collections.abc import Callable
from pathlib import Path

import pytest

from afn_project.secure_env import sealing
from afn_project.secure_env.keys import KEY, KEY_FILE, FileStore, make_key

TEXT = "# of tests\nSECRET_KEY='canary-7d1f canary-7d1f'\nLOG_LEVEL=WARNING\n"


@pytest.fixture(autouse=True)
def without_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (KEY, KEY_FILE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    cost = sealing.Cost(2**10, 8, 1)
    monkeypatch.setattr(sealing, "USUAL", cost)
    monkeypatch.setattr(sealing, "LOWEST", cost)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / ".env").write_text(TEXT)
    return folder


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "env-key"
    path.write_text(make_key() + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def store(key_file: Path) -> FileStore:
    return FileStore(key_file)


@pytest.fixture
def names() -> Callable[[Path], set[str]]:
    """What lies in a folder."""
    return lambda folder: {path.name for path in folder.iterdir()}

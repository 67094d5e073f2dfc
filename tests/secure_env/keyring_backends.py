"""Keyrings for tests, chosen by PYTHON_KEYRING_BACKEND in the process that AFN starts for its own."""

import json
import os
import threading
from pathlib import Path

from keyring.backend import KeyringBackend

FILE = "AFN_TEST_KEYRING"


class InFile(KeyringBackend):
    priority = 1

    def _load(self) -> dict[str, str]:
        path = Path(os.environ[FILE])
        return json.loads(path.read_text()) if path.exists() else {}

    def _store(self, entries: dict[str, str]) -> None:
        Path(os.environ[FILE]).write_text(json.dumps(entries))

    def get_password(self, service: str, username: str) -> str | None:
        return self._load().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._store(self._load() | {f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        entries = self._load()
        del entries[f"{service}/{username}"]
        self._store(entries)


class Silent(InFile):
    """Waits for a window that nobody sees."""

    def get_password(self, service: str, username: str) -> str | None:
        threading.Event().wait()
        return None


class Forgetful(InFile):
    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class Refusing(InFile):
    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("canary-7d1f")


class Typing(InFile):
    """Asks on the terminal, as keyrings in encrypted files do."""

    def get_password(self, service: str, username: str) -> str | None:
        import getpass

        return getpass.getpass("Password of the keyring: ")

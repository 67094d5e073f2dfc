"""Where the master key is: in a variable, in a file, or in the keyring; the first that is set counts.

A store that can be rotated keeps the next key beside the one in use while `.env.enc` is encrypted anew, so
that at each moment one of the two opens the file. Readers try the next one after the one in use.
"""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from . import files, keyrings
from .problems import Missing, SecretProblem

KEY: Final = "AFN_ENV_KEY"
KEY_FILE: Final = "AFN_ENV_KEY_FILE"
SHORTEST, LONGEST = 32, 1024  # characters


def make_key() -> str:
    return secrets.token_urlsafe(32)


class Store(Protocol):
    """`name` is how messages speak of it."""

    @property
    def name(self) -> str: ...
    def read(self) -> list[str]:
        """The key in use, then the next one where there is one. Raises ``SecretProblem``."""
        ...

    def add_next(self, key: str) -> None: ...
    def use_next(self) -> None: ...
    def drop_next(self) -> None: ...


@dataclass(frozen=True)
class VariableStore:
    """AFN_ENV_KEY. Whoever set it has to change it: it cannot be rotated from here."""

    value: str
    name: str = KEY

    def read(self) -> list[str]:
        return [check_key(self.value, KEY)]

    def add_next(self, key: str) -> None:
        raise SecretProblem(
            f"{KEY} cannot be changed from here. Name where the new key goes: --key-file PATH, or --keyring."
        )

    use_next = drop_next = lambda self: None


@dataclass(frozen=True)
class FileStore:
    """A file that only this user can read; the next key is in the one with `.new` at its end."""

    path: Path
    variable: str = KEY_FILE

    @property
    def name(self) -> str:
        return f"{self.variable} ({self.path})"

    def exists(self) -> bool:
        return os.path.lexists(self.path)

    def read(self) -> list[str]:
        keys = [read_key_file(self.path, self.name)]
        with suppress(SecretProblem):  # none, or cut off while it was written: nothing is encrypted with it
            keys.append(read_key_file(files.new_name(self.path), "the next key"))
        return keys

    def add_next(self, key: str) -> None:
        files.write_new(self.path, f"{key}\n".encode())

    def use_next(self) -> None:
        files.put_in_place(self.path)

    def drop_next(self) -> None:
        files.remove(files.new_name(self.path))


@dataclass(frozen=True)
class KeyringStore:
    """An entry for each checkout, named by its folder."""

    folder: Path
    patience: float = keyrings.PATIENCE
    name: str = "the keyring"

    @property
    def _entries(self) -> list[str]:
        return [f"env {self.folder}", f"env {self.folder} next"]

    def exists(self) -> bool:
        return any(keyrings.ask(self._entries, patience=self.patience).values())

    def read(self) -> list[str]:
        found = keyrings.ask(self._entries, patience=self.patience)
        keys = [key for entry in self._entries if (key := found[entry]) is not None]
        if not keys:
            raise Missing(
                f"There is no key for {self.folder}: {KEY} and {KEY_FILE} are not set, and the keyring has "
                "none. Set one of them; `manage.py secure_env encrypt --key-file PATH` or --keyring makes "
                "the first key."
            )
        return [check_key(key, self.name) for key in keys]

    def add_next(self, key: str) -> None:
        self._write(self._entries[1], key)

    def use_next(self) -> None:
        entry, following = self._entries
        key = keyrings.ask([following], patience=self.patience)[following]
        if key is not None:
            self._write(entry, key)
            self.drop_next()

    def drop_next(self) -> None:
        keyrings.ask([], patience=self.patience, delete=[self._entries[1]])

    def _write(self, entry: str, key: str) -> None:
        """Some backends take everything and keep nothing: what was written is read back."""
        if keyrings.ask([entry], patience=self.patience, write={entry: key})[entry] != key:
            raise SecretProblem("The keyring did not keep the key. Use a key file instead: --key-file PATH.")


def find_target(
    folder: Path, *, key_file: str | None, keyring: bool, environ: Mapping[str, str] = os.environ
) -> Store | None:
    """The store that `--key-file` or `--keyring` names; None for neither, or for the one in use."""
    if key_file is not None:
        target: Store = FileStore((Path.cwd() / key_file).absolute(), "--key-file")
        used = find_store(folder, environ)
        same = isinstance(used, FileStore) and os.path.realpath(used.path) == os.path.realpath(key_file)
        return None if same else target
    if keyring:
        return None if isinstance(find_store(folder, environ), KeyringStore) else KeyringStore(folder)
    return None


def find_store(folder: Path, environ: Mapping[str, str] = os.environ) -> Store:
    """The store that the environment names, else the keyring. Nothing is read yet."""
    if value := environ.get(KEY):
        return VariableStore(value)
    if path := environ.get(KEY_FILE):
        return FileStore(folder / path)
    return KeyringStore(folder)


def read_key_file(path: Path, name: str) -> str:
    """The key in a file of mode 0600 or 0400 that belongs to this user."""
    try:
        content, status = files.read_checked(path, LONGEST * 4, name)
    except Missing:
        raise Missing(
            f"{name}: there is no such file. `manage.py secure_env encrypt --key-file {path}` makes it."
        ) from None
    if status.st_uid != os.geteuid():
        raise SecretProblem(
            f"{name} belongs to another user, who could exchange it. Run this as its owner, or run: "
            f"chown $(id -u) {path}"
        )
    if status.st_mode & 0o7777 not in (0o600, 0o400):
        raise SecretProblem(
            f"{name}: expected a file that its owner alone can use, with mode 0600 or 0400, got "
            f"{status.st_mode & 0o7777:04o}. Run: chmod 600 {path}"
        )
    return check_key(files.as_text(content, name), name)


def check_key(text: str, name: str) -> str:
    """The key without the line break at its end. Raises ``SecretProblem``, which tells nothing of the key."""
    key = text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
    if not SHORTEST <= len(key) <= LONGEST or not key.isprintable():
        raise SecretProblem(
            f"{name}: expected a key of {SHORTEST} to {LONGEST} printable characters on one line. "
            '`python -c "import secrets; print(secrets.token_urlsafe(32))"` prints a good one.'
        )
    return key

"""Encrypting `.env`, decrypting it, and changing the key. Killed at any moment, all leave a file that opens.

Rotation writes in this order, each step whole or not at all: the next key beside the one in use
(KEYFILE.new, or a second entry of the keyring); `.env.enc`, encrypted with the next key; the next key in
place of the one in use. Between the last two, readers find that the key in use does not fit and take the
next. The command that comes after finishes what was cut off, or undoes it.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from . import files
from .keys import KEY, FileStore, KeyringStore, Store, make_key
from .problems import Missing, SecretProblem, WrongKey
from .reading import ENCRYPTED, PLAIN, Opened, open_encrypted
from .sealing import MOST, MOST_PLAIN, seal, unseal
from .texts import changed_names, read_values


@dataclass(frozen=True)
class Encrypted:
    """What `encrypt` found and did."""

    is_new: bool
    key_made: bool
    plain_removed: bool


def encrypt(folder: Path, store: Store, *, force: bool = False, remove_plain: bool = False) -> Encrypted:
    """Make `.env.enc` of `.env`, with the store's key, and a new key where the store has none yet.

    An encrypted file that says something else is replaced only with `force`; one that says the same stays.
    """
    plain, encrypted = folder / PLAIN, folder / ENCRYPTED
    with files.locked(folder):
        text = _read_plain(plain)
        if read_values(text).get(KEY):
            raise SecretProblem(f"{plain}: {KEY} cannot lie in the file that it opens. Take it out.")
        key_made = (force or not os.path.lexists(encrypted)) and ensure_key(store)
        is_new = not _says_the_same(encrypted, store, text, force)
        if is_new:
            files.replace(encrypted, _sealed(text, store.read()[0]))
            store.drop_next()  # of a rotation that was cut off: nothing is encrypted with it any more
        if open_encrypted(encrypted, store).text != text:
            raise SecretProblem(f"{encrypted} does not hold what {plain} says. {plain} stays.")
        if remove_plain:
            _remove_plain(plain, text)
    return Encrypted(is_new, key_made, remove_plain)


def decrypt(folder: Path, store: Store, *, force: bool = False, remove_encrypted: bool = False) -> None:
    """Write what `.env.enc` holds to `.env`, for this user alone."""
    plain, encrypted = folder / PLAIN, folder / ENCRYPTED
    with files.locked(folder):
        text = open_current(encrypted, store).text
        if os.path.lexists(plain) and not force and (there := _read_plain(plain)) != text:
            raise SecretProblem(
                f"{plain} is there and says something else{_differences(there, text)}. --force replaces it."
            )
        files.replace(plain, text.encode(), as_before=False)
        if remove_encrypted:
            files.remove(encrypted)


def rotate(folder: Path, store: Store, target: Store | None = None) -> None:
    """Encrypt `.env.enc` with another key: a new one in the same store, or the one of `target`."""
    encrypted = folder / ENCRYPTED
    with files.locked(folder):
        opened = open_current(encrypted, store)
        if target is not None:
            ensure_key(target)
            key = target.read()[0]
            if key == opened.key:
                raise SecretProblem(
                    f"{encrypted} is encrypted with the key of {target.name} already. `secure_env rotate` "
                    "without an option makes a new key there, once the environment names it."
                )
            files.replace(encrypted, _sealed(opened.text, key))
            return
        key = make_key()
        store.add_next(key)
        files.replace(encrypted, _sealed(opened.text, key))
        if open_encrypted(encrypted, store).key != key:
            raise SecretProblem(f"{store.name} does not give the new key back: the older one stays.")
        store.use_next()


def save(folder: Path, text: str, key: str) -> None:
    """Replace what `.env.enc` holds; the caller has the lock."""
    files.replace(folder / ENCRYPTED, _sealed(text, key))


def open_current(encrypted: Path, store: Store) -> Opened:
    """Open the file and clear up after commands that were killed; the caller has the lock."""
    try:
        opened = open_encrypted(encrypted, store)
    except Missing:
        if os.path.lexists(encrypted):
            raise
        raise Missing(f"There is no {encrypted}. `manage.py secure_env encrypt` makes it of .env.") from None
    keys = store.read()
    if len(keys) > 1:
        if opened.key == keys[0]:
            store.drop_next()
        else:
            store.use_next()
    for path in (encrypted, encrypted.with_name(PLAIN)):
        files.remove(files.new_name(path))
    return opened


def ensure_key(store: Store) -> bool:
    """Give a file or keyring that has no key a new one, complete before it is used; whether it got one."""
    if not isinstance(store, FileStore | KeyringStore) or store.exists():
        return False
    store.add_next(make_key())
    store.use_next()
    return True


def _says_the_same(encrypted: Path, store: Store, text: str, force: bool) -> bool:
    if not os.path.lexists(encrypted):
        return False
    try:
        there = open_current(encrypted, store).text
    except (SecretProblem, WrongKey) as error:
        if force:
            return False
        raise SecretProblem(f"{error} To replace it by what .env says: --force.") from None
    if there != text and not force:
        raise SecretProblem(
            f"{encrypted} is there and says something else{_differences(there, text)}. --force replaces it "
            "by what .env says."
        )
    return there == text


def _differences(old: str, new: str) -> str:
    names = changed_names(old, new)
    return f" ({', '.join(names)})" if names else ""


def _sealed(text: str, key: str) -> bytes:
    """Encrypted, and seen to open again."""
    plain = text.encode()
    content = seal(plain, key)
    if len(content) > MOST or unseal(content, key, ENCRYPTED) != plain:
        raise SecretProblem("What was encrypted does not open again: nothing is changed.")
    return content


def _read_plain(plain: Path) -> str:
    try:
        return files.as_text(files.read_limited(plain, MOST_PLAIN), str(plain))
    except Missing:
        raise Missing(f"There is no {plain}. Copy .env.example to it and fill in what differs.") from None


def _remove_plain(plain: Path, text: str) -> None:
    if plain.is_symlink():
        raise SecretProblem(f"{plain} is a link: remove the file that it leads to yourself.")
    if plain.stat().st_nlink > 1:
        raise SecretProblem(
            f"{plain} has another name, too, under which it would stay: remove both yourself."
        )
    if _read_plain(plain) != text:
        raise SecretProblem(f"{plain} was changed meanwhile, and stays. Run this again.")
    files.remove(plain)

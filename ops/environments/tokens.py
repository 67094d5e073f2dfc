"""Keys and tokens of a self-hosted libSQL server: Ed25519 keys in a folder, JSON Web Tokens signed by one.

``signing.pem`` signs; ``public.pem`` holds every public key that the server shall accept, the newest first,
and is given to it as ``--auth-jwt-key-file``. Measured on sqld 0.24.32: it reads that file only at its start
(SIGHUP ends it), takes a token for 60 s past its expiry, answers 404 to a token of another namespace and 403
to a write with a read-only one.
"""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from .base import EnvironmentProblem, NotConfigured, Token, check_name
from .secret_text import SecretText

SIGNING, PUBLIC = "signing.pem", "public.pem"
MAX_LIFETIME = timedelta(hours=24)
MAX_LONG_LIFETIME = timedelta(days=30)
_MAX_KEY_FILE = 100_000  # bytes; a key has 120
_END = b"-----END PUBLIC KEY-----\n"
Access = Literal["rw", "ro"]


def has_keys(folder: Path) -> bool:
    return (folder / SIGNING).exists()


def generate_keys(folder: Path) -> Path:
    """Make the first pair of keys; the file of public keys. Raises ``EnvironmentProblem`` where one is."""
    with _locked(folder):
        if there := [name for name in (SIGNING, PUBLIC) if os.path.lexists(folder / name)]:
            raise EnvironmentProblem(
                f"{folder} holds {' and '.join(there)} already, which tokens in use may need. Rotate the "
                "keys instead, or choose another folder with AFN_TOKEN_KEYS."
            )
        _install(folder, Ed25519PrivateKey.generate(), [])
    return folder / PUBLIC


def rotate_keys(folder: Path) -> Path:
    """Sign with a new key from now on, and let the server take tokens of the older ones until they expire.

    The file of public keys, with which the server must be started anew: before that it refuses new tokens.
    """
    with _locked(folder):
        old = _signing_key(folder)
        accepted = _public_keys(folder)
        if (own := _pem(old.public_key())) not in accepted:
            accepted.insert(0, own)
        _install(folder, Ed25519PrivateKey.generate(), accepted)
    return folder / PUBLIC


def retire_keys(folder: Path) -> int:
    """Accept no key but the one that signs now; how many older ones went.

    Their tokens are refused as soon as the server has been started anew.
    """
    with _locked(folder):
        own = _pem(_signing_key(folder).public_key())
        older = [key for key in _public_keys(folder) if key != own]
        _write(folder / PUBLIC, own, mode=0o644)
    return len(older)


def mint_token(
    folder: Path,
    *,
    namespace: str | None,
    read_only: bool,
    lifetime: timedelta,
    allow_long: bool = False,
    now: datetime | None = None,
) -> Token:
    """A token for one namespace, or for all of the server's (None).

    It lives 24 hours at most, 30 days with `allow_long`: the server cannot revoke it, only the key. Raises
    ``EnvironmentProblem`` for a name or lifetime that is none, ``NotConfigured`` without a usable key.
    """
    if namespace is not None:
        check_name(namespace)
    check_lifetime(lifetime, allow_long=allow_long)
    access: Access = "ro" if read_only else "rw"
    # Whole seconds, as in the token.
    expires_at = ((now or datetime.now(UTC)) + lifetime).replace(microsecond=0)
    claims: dict[str, Any] = {"exp": int(expires_at.timestamp()), "a": access}
    if namespace is not None:
        claims["id"] = namespace
    text = jwt.encode(claims, _signing_key(folder), algorithm="EdDSA")
    return Token(SecretText(text), expires_at, namespace, access)


def check_lifetime(lifetime: timedelta, *, allow_long: bool) -> None:
    """Raises ``EnvironmentProblem`` for one that no token may have."""
    most = MAX_LONG_LIFETIME if allow_long else MAX_LIFETIME
    if not timedelta(seconds=1) <= lifetime <= most:
        longer = "" if allow_long else f"; up to {_hours(MAX_LONG_LIFETIME)} only where asked for (--long)"
        raise EnvironmentProblem(
            f"lifetime: expected 1 second to {_hours(most)}, got {_hours(lifetime)}{longer}."
        )


def _install(folder: Path, key: Ed25519PrivateKey, older: list[bytes]) -> None:
    # The public key first: a crash between the two leaves one that is accepted and never used.
    _write(folder / PUBLIC, b"".join([_pem(key.public_key()), *older]), mode=0o644)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(folder / SIGNING, private, mode=0o600)


def _signing_key(folder: Path) -> Ed25519PrivateKey:
    file = folder / SIGNING
    try:
        # A link is not followed: it could lead to a file that others exchange.
        with open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as opened:
            _check_private(file, os.fstat(opened.fileno()))
            content = opened.read(_MAX_KEY_FILE)
    except FileNotFoundError as error:
        raise NotConfigured(
            f"{file} is missing: make keys with `manage.py environments keys generate`, or name the folder "
            "that has them with AFN_TOKEN_KEYS."
        ) from error
    except OSError as error:
        raise NotConfigured(f"{file} cannot be read: {error.strerror}.") from error
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError):  # not chained: its text could tell of the content
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise NotConfigured(f"{file}: expected an Ed25519 private key in PEM, without a password.")
    return key


def _check_private(file: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise NotConfigured(f"{file}: expected a file.")
    if status.st_uid not in (os.geteuid(), 0):
        raise NotConfigured(
            f"{file} belongs to another user, who could exchange it. Run: chown $(id -u) {file}"
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise NotConfigured(
            f"{file}: others than its owner can use this key, with which they could sign tokens for every "
            f"environment. Run: chmod 600 {file}"
        )


def _public_keys(folder: Path) -> list[bytes]:
    """The public keys of the folder, each in PEM, the newest first."""
    try:
        content = (folder / PUBLIC).read_bytes()
    except FileNotFoundError:
        return []
    return [part.lstrip() + _END for part in content.split(_END) if part.strip()]


def _pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One change of the keys at a time, in a folder that only its owner can enter."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise NotConfigured(
            f"AFN_TOKEN_KEYS: expected a folder of one's own, got {folder}: {error.strerror}."
        ) from error
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            raise NotConfigured(f"{folder}: others can enter the folder of the keys. Run: chmod 700 {folder}")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(file: Path, content: bytes, *, mode: int) -> None:
    """In one step: whoever reads sees the old file or the new, also after a crash."""
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            os.fchmod(opened.fileno(), mode)
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(file)
    except OSError as error:
        raise EnvironmentProblem(f"{file} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            new.unlink()


def _hours(time: timedelta) -> str:
    return f"{time.total_seconds() / 3600:g} hours"

"""The text of `.env.enc`: a header that says how its key is derived, and what Fernet made of the content.

    AFN-ENV 1
    kdf: scrypt n=32768 r=8 p=1
    salt: 16 random bytes, anew for each encryption
    key-id: tells a wrong key from a damaged file

    gAAAAA…

The key id comes out of scrypt together with the key, so that it is no cheaper to guess with than the content.
Every line of the header decides on the key or is compared with it: a changed one opens nothing.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

from .problems import SecretProblem, WrongKey

MOST: Final = 1_000_000  # bytes of an encrypted file that are read
MOST_PLAIN: Final = 256_000  # bytes that are encrypted
_MAGIC: Final = b"AFN-ENV "
_FORM: Final = re.compile(
    rb"AFN-ENV 1\n"
    rb"kdf: scrypt n=([1-9]\d{0,11}) r=([1-9]\d{0,3}) p=([1-9]\d{0,3})\n"
    rb"salt: ([A-Za-z0-9_-]{22})\n"
    rb"key-id: ([0-9a-f]{16})\n"
    rb"\n"
    rb"([A-Za-z0-9_-]+={0,2})\n"
)
_KEY, _ID = 32, 8  # bytes


@dataclass(frozen=True, slots=True)
class Cost:
    """Of guessing one key. Memory is 128 · n · r bytes; more than `HIGHEST` a file cannot ask for."""

    n: int
    r: int
    p: int

    @property
    def memory(self) -> int:
        return 128 * self.r * (self.n + self.p + 2)

    @property
    def is_usable(self) -> bool:
        is_power = self.n & (self.n - 1) == 0
        return is_power and LOWEST.n <= self.n <= HIGHEST.n and self.r == 8 and self.p <= HIGHEST.p


LOWEST: Final = Cost(2**15, 8, 1)
HIGHEST: Final = Cost(2**17, 8, 4)  # 128 MiB, and a second and a half
USUAL: Final = LOWEST  # a tenth of a second; the keys that AFN makes are beyond guessing anyway


def seal(plain: bytes, key: str) -> bytes:
    """The text of a file that only `key` opens, another one each time."""
    from cryptography.fernet import Fernet  # not before there is something to encrypt

    salt = secrets.token_bytes(16)
    own, identity = _derive(key, salt, USUAL)
    header = (
        f"AFN-ENV 1\nkdf: scrypt n={USUAL.n} r={USUAL.r} p={USUAL.p}\n"
        f"salt: {base64.urlsafe_b64encode(salt).decode().rstrip('=')}\nkey-id: {identity}\n\n"
    )
    return header.encode() + Fernet(own).encrypt(plain) + b"\n"


def unseal(content: bytes, key: str, name: str) -> bytes:
    """What `content`, of the file `name`, was made of. Raises ``WrongKey`` and ``SecretProblem``."""
    from cryptography.fernet import Fernet, InvalidToken

    found = _FORM.fullmatch(content.replace(b"\r\n", b"\n"))  # which Git may have written
    if found is None:
        raise SecretProblem(f"{name} {_describe(content)}. Restore it from a copy, or encrypt .env anew.")
    cost = Cost(int(found[1]), int(found[2]), int(found[3]))
    if not cost.is_usable:
        raise SecretProblem(
            f"{name}: expected scrypt with n from {LOWEST.n} to {HIGHEST.n}, r=8 and p up to {HIGHEST.p}, "
            f"got n={cost.n} r={cost.r} p={cost.p}. Restore it from a copy, or encrypt .env anew."
        )
    own, identity = _derive(key, base64.urlsafe_b64decode(found[4] + b"=="), cost)
    if not hmac.compare_digest(identity.encode(), found[5]):
        raise WrongKey(f"{name} was encrypted with another key, or its header was changed.")
    try:
        return Fernet(own).decrypt(found[6])
    except InvalidToken:
        pass
    raise SecretProblem(f"{name} was changed or cut off after it was encrypted. Restore it from a copy.")


def _derive(key: str, salt: bytes, cost: Cost) -> tuple[bytes, str]:
    made = hashlib.scrypt(
        key.encode(),
        salt=salt,
        n=cost.n,
        r=cost.r,
        p=cost.p,
        maxmem=cost.memory + (1 << 20),
        dklen=_KEY + _ID,
    )
    return base64.urlsafe_b64encode(made[:_KEY]), made[_KEY:].hex()


def _describe(content: bytes) -> str:
    if not content:
        return "is empty"
    if not content.startswith(_MAGIC):
        return "is no file of `manage.py secure_env encrypt`"
    version = content[len(_MAGIC) :].partition(b"\n")[0].strip()
    if version.isdigit() and version != b"1" and len(version) < 6:
        return f"has the format {version.decode()}, and this release of AFN reads format 1"
    return "is cut off, or its header was changed"

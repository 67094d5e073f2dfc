"""What `.env.enc` holds, read with the key that the environment names."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import files
from .keys import Store, find_store
from .problems import WrongKey
from .sealing import MOST, unseal

PLAIN: Final = ".env"
ENCRYPTED: Final = ".env.enc"
_TRIES: Final = 3


@dataclass(frozen=True)
class Opened:
    """The text, the key that opened it, and the file as it was."""

    text: str
    key: str
    content: bytes


def read_encrypted(path: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The text of an encrypted file, for the settings. Raises ``SecretProblem`` with the next step."""
    return open_encrypted(path, find_store(path.parent, environ)).text


def open_encrypted(path: Path, store: Store) -> Opened:
    """Open a file with the key in use, or with the next one where a rotation was cut off."""
    content = files.read_limited(path, MOST)
    for _ in range(_TRIES):
        for key in store.read():
            try:
                text = files.as_text(unseal(content, key, str(path)), str(path))
            except WrongKey:
                continue
            return Opened(text, key, content)
        # The key may be newer than the file, if both were changed between the two reads.
        content, before = files.read_limited(path, MOST), content
        if content == before:
            break
    raise WrongKey(
        f"{path} was encrypted with another key than that of {store.name}, or its header was changed. Set "
        "AFN_ENV_KEY_FILE or AFN_ENV_KEY to the right key, or restore the file from a copy; "
        "`manage.py secure_env status` tells which is read."
    )

"""The file of variables beside `manage.py`: `.env`, or in its place the encrypted `.env.enc`.

Where both are, the encrypted one counts: nobody without the key can have written it, and a plain one beside
it is what an earlier state left behind. The check `afn.W010` says so.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .secure_env.files import as_text, read_limited
from .secure_env.problems import Missing
from .secure_env.reading import ENCRYPTED, read_encrypted
from .secure_env.sealing import MOST
from .secure_env.texts import read_values


@dataclass(frozen=True)
class EnvFile:
    """What a file sets. Values of an encrypted one are not quoted in messages."""

    values: Mapping[str, str | None] = field(default_factory=dict)
    is_encrypted: bool = False


def read_env_file(path: Path) -> EnvFile:
    """The encrypted form of `path` where there is one, else `path`; nothing where neither is."""
    encrypted = path.with_name(ENCRYPTED)
    if os.path.lexists(encrypted):
        return EnvFile(read_values(read_encrypted(encrypted)), is_encrypted=True)
    try:
        return EnvFile(read_values(as_text(read_limited(path, MOST), str(path))))
    except Missing:
        return EnvFile()
